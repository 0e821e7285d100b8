//! A Lambda function on this machine: its own binary, driven over the Lambda Runtime API.

mod api;
mod environment;
mod error;
mod settings;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, watch};

pub use error::FunctionError;
pub use settings::FunctionSettings;

use environment::Environment;

/// A function that can be invoked. Its processes are started when they are needed, kept for the
/// next invocation, and killed when this is dropped.
#[derive(Debug)]
pub struct Function {
    settings: Arc<FunctionSettings>,
    /// Without a name, so that it is gone with who uses it, however they end.
    log: File,
    idle: Mutex<Vec<Environment>>,
    room: Semaphore,
    kills: watch::Sender<u64>,
    inits: Mutex<Vec<Duration>>,
}

impl Function {
    /// A function of which no process runs yet.
    ///
    /// # Errors
    /// [`io::Error`] if there is no room for its log.
    pub fn new(settings: FunctionSettings) -> io::Result<Self> {
        Ok(Self {
            room: Semaphore::new(settings.concurrency.max(1)),
            settings: settings.into(),
            log: tempfile::tempfile()?,
            idle: Mutex::default(),
            kills: watch::channel(0).0,
            inits: Mutex::default(),
        })
    }

    /// What it is.
    pub fn settings(&self) -> &FunctionSettings {
        &self.settings
    }

    /// Hands it an event, and answers what it answers.
    ///
    /// # Errors
    /// [`FunctionError`]; after a crash or a timeout the next invocation starts it anew.
    pub async fn invoke(&self, event: &Value) -> Result<Value, FunctionError> {
        let _room = self.room.acquire().await;
        let kills = *self.kills.borrow();
        let mut environment = match self.kept() {
            Some(environment) => environment,
            None => self.start().await?,
        };
        let answer = environment.invoke(event, &self.settings).await;
        self.keep(environment, kills);
        answer
    }

    /// Starts a process if none waits for an invocation.
    ///
    /// # Errors
    /// [`FunctionError`] if it does not begin.
    pub async fn warm_up(&self) -> Result<(), FunctionError> {
        let _room = self.room.acquire().await;
        let kills = *self.kills.borrow();
        let environment = match self.kept() {
            Some(environment) => environment,
            None => self.start().await?,
        };
        self.keep(environment, kills);
        Ok(())
    }

    /// Kills every process that runs now, whatever it is doing. What is being invoked fails as
    /// [`FunctionError::Crashed`].
    pub fn kill(&self) {
        self.kills.send_modify(|count| *count += 1);
        lock(&self.idle).clear();
    }

    /// All that its processes wrote to their standard output and error. What was written before an
    /// invocation was answered is there.
    pub fn log(&self) -> String {
        let bytes = self.log.metadata().map_or(0, |log| log.len());
        let mut log = vec![0; usize::try_from(bytes).unwrap_or_default()];
        // By its place, as the processes share the one at which they write.
        match self.log.read_exact_at(&mut log, 0) {
            Ok(()) => String::from_utf8_lossy(&log).into_owned(),
            Err(_) => String::new(),
        }
    }

    /// How long each of its processes took from its start to its first request for an invocation.
    pub fn init_times(&self) -> Vec<Duration> {
        lock(&self.inits).clone()
    }

    /// A process that waits for an invocation.
    fn kept(&self) -> Option<Environment> {
        let mut idle = lock(&self.idle);
        idle.retain(Environment::is_alive);
        idle.pop()
    }

    /// Keeps a process for the next invocation, unless it was killed since there were so many kills:
    /// it may not have ended yet.
    fn keep(&self, environment: Environment, kills: u64) {
        let mut idle = lock(&self.idle);
        if environment.is_alive() && *self.kills.borrow() == kills {
            idle.push(environment);
        }
    }

    async fn start(&self) -> Result<Environment, FunctionError> {
        let started = async {
            let log = self.log.try_clone()?;
            Environment::start(&self.settings, log, self.kills.subscribe()).await
        };
        let mut environment = started
            .await
            .map_err(|error: io::Error| FunctionError::Init(error.to_string()))?;
        let init = environment.ready().await?;
        lock(&self.inits).push(init);
        Ok(environment)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
