//! An execution environment: one process, which handles one invocation at a time.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::api::{self, Api, Invocation, MAX_PAYLOAD_BYTES, Said};
use super::{FunctionError, FunctionSettings};

/// How long a process may take to start. Lambda starts a new one after 10 seconds, which would only
/// add to the load of a busy machine.
const INIT: Duration = Duration::from_mins(10);

/// A process and its Runtime API.
#[derive(Debug)]
pub(super) struct Environment {
    invocations: mpsc::Sender<Invocation>,
    said: mpsc::Receiver<Said>,
    ready: watch::Receiver<bool>,
    exited: watch::Receiver<Option<String>>,
    /// Dropped to kill the process.
    kill: Option<oneshot::Sender<()>>,
    serving: JoinHandle<io::Result<()>>,
    begun: Instant,
}

impl Environment {
    /// Starts the process, which is killed when `kills` changes.
    pub(super) async fn start(
        settings: &FunctionSettings,
        log: File,
        kills: watch::Receiver<u64>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (invocations, asked) = mpsc::channel(1);
        let (said, says) = mpsc::channel(1);
        let (ready, is_ready) = watch::channel(false);
        let api = Arc::new(Api {
            arn: settings.arn(),
            invocations: Mutex::new(asked),
            said,
            ready,
        });
        let begun = Instant::now();
        let child = spawn(settings, &address, log)?;
        let serving = tokio::spawn(api::serve(listener, api));
        let (exit, exited) = watch::channel(None);
        let (kill, killed) = oneshot::channel();
        tokio::spawn(watch_over(child, kills, killed, exit));
        Ok(Self {
            invocations,
            said: says,
            ready: is_ready,
            exited,
            kill: Some(kill),
            serving,
            begun,
        })
    }

    /// Waits for the process's first request for an invocation. Returns how long that took.
    pub(super) async fn ready(&mut self) -> Result<Duration, FunctionError> {
        let begun = self.begun;
        let ready = async {
            tokio::select! {
                biased;
                Ok(_) = self.ready.wait_for(|ready| *ready) => Ok(begun.elapsed()),
                Some(Said::Init(error)) = self.said.recv() => Err(error),
                exit = exit(&mut self.exited) => Err(FunctionError::Init(exit)),
            }
        };
        let late = format!("it took more than {} s", INIT.as_secs());
        timeout(INIT, ready)
            .await
            .unwrap_or(Err(FunctionError::Init(late)))
    }

    /// Invokes the process with an event. After a timeout the process is dead.
    pub(super) async fn invoke(
        &mut self,
        event: &Value,
        settings: &FunctionSettings,
    ) -> Result<Value, FunctionError> {
        static INVOCATIONS: AtomicU64 = AtomicU64::new(1);
        let number = INVOCATIONS.fetch_add(1, Ordering::Relaxed);
        let invocation = Invocation {
            id: format!("00000000-0000-4000-8000-{number:012}"),
            event: event.to_string(),
            timeout: settings.timeout,
        };
        let (what, bytes) = ("the event", invocation.event.len());
        if bytes > MAX_PAYLOAD_BYTES {
            return Err(FunctionError::TooLarge { what, bytes });
        }
        let id = invocation.id.clone();
        // If the process has ended, the wait for its answer reports it.
        let _ = self.invocations.send(invocation).await;
        let limit = settings.timeout + settings.grace;
        let Ok(answer) = timeout(limit, self.answer(&id)).await else {
            self.kill = None;
            exit(&mut self.exited).await;
            return Err(FunctionError::TimedOut(limit));
        };
        answer
    }

    /// Waits for the answer to an invocation.
    async fn answer(&mut self, id: &str) -> Result<Value, FunctionError> {
        loop {
            tokio::select! {
                biased;
                Some(said) = self.said.recv() => match said {
                    Said::Answer(of, answer) if of == id => return answer,
                    Said::Answer(..) => {}
                    Said::Init(error) => return Err(error),
                },
                exit = exit(&mut self.exited) => return Err(FunctionError::Crashed(exit)),
            }
        }
    }

    /// Whether the process runs.
    pub(super) fn is_alive(&self) -> bool {
        self.kill.is_some() && self.exited.borrow().is_none()
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Starts the process. Its environment contains only the variables that are set here, as on Lambda.
fn spawn(settings: &FunctionSettings, api: &str, log: File) -> io::Result<Child> {
    let Some((program, arguments)) = settings.command.split_first() else {
        return Err(io::Error::other("no command is set"));
    };
    let memory = settings.memory_mb.to_string();
    let group = format!("/aws/lambda/{}", settings.name);
    let lambda = [
        ("_HANDLER", settings.handler.as_str()),
        // A guard identifies the caller by this key.
        ("AWS_ACCESS_KEY_ID", &settings.name),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_FUNCTION_NAME", &settings.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
        ("AWS_LAMBDA_RUNTIME_API", api),
        ("AWS_REGION", "us-east-1"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_SESSION_TOKEN", "local"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TZ", ":UTC"),
    ];
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(lambda)
        .envs(settings.environment.iter().cloned())
        .stdin(std::process::Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
}

/// Kills the process on request, and reports when it has ended.
async fn watch_over(
    mut child: Child,
    mut kills: watch::Receiver<u64>,
    killed: oneshot::Receiver<()>,
    exit: watch::Sender<Option<String>>,
) {
    let ended = tokio::select! {
        ended = child.wait() => Some(ended),
        _ = kills.changed() => None,
        _ = killed => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => match child.start_kill() {
            Ok(()) => child.wait().await,
            Err(error) => Err(error),
        },
    };
    let text = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
    exit.send_replace(Some(text));
}

/// Waits until the process ends.
async fn exit(exited: &mut watch::Receiver<Option<String>>) -> String {
    match exited.wait_for(Option::is_some).await {
        Ok(exit) => exit.clone().unwrap_or_default(),
        Err(_) => "its exit status is unknown".to_owned(),
    }
}
