//! Runs a Lambda function on this machine: its own binary, driven over the Lambda Runtime API.

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

/// A function that can be invoked. Its processes are started on demand, kept for later invocations,
/// and killed when this value is dropped.
#[derive(Debug)]
pub struct Function {
    settings: Arc<FunctionSettings>,
    /// A file without a name, which the operating system removes together with its users.
    log: File,
    idle: Mutex<Vec<Environment>>,
    room: Semaphore,
    kills: watch::Sender<u64>,
    inits: Mutex<Vec<Duration>>,
}

impl Function {
    /// A function that has no process yet.
    ///
    /// # Errors
    /// [`io::Error`] if its log file cannot be created.
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

    /// The function's settings.
    pub fn settings(&self) -> &FunctionSettings {
        &self.settings
    }

    /// Invokes the function with an event, and returns its answer.
    ///
    /// # Errors
    /// [`FunctionError`]. After a crash or a timeout the next invocation starts a new process.
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

    /// Starts a process if none is waiting for an invocation.
    ///
    /// # Errors
    /// [`FunctionError`] if it does not start.
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

    /// Kills all processes of the function, whatever they are doing. A running invocation fails
    /// with [`FunctionError::Crashed`].
    pub fn kill(&self) {
        self.kills.send_modify(|count| *count += 1);
        lock(&self.idle).clear();
    }

    /// The standard output and error of all its processes. It contains everything that a process
    /// wrote before it answered an invocation.
    pub fn log(&self) -> String {
        let bytes = self.log.metadata().map_or(0, |log| log.len());
        let mut log = vec![0; usize::try_from(bytes).unwrap_or_default()];
        // Reads at a given offset, since the processes share the file's write offset.
        match self.log.read_exact_at(&mut log, 0) {
            Ok(()) => String::from_utf8_lossy(&log).into_owned(),
            Err(_) => String::new(),
        }
    }

    /// The time that each of its processes took from its start to its first request for an
    /// invocation.
    pub fn init_times(&self) -> Vec<Duration> {
        lock(&self.inits).clone()
    }

    /// Takes a process that waits for an invocation.
    fn kept(&self) -> Option<Environment> {
        let mut idle = lock(&self.idle);
        idle.retain(Environment::is_alive);
        idle.pop()
    }

    /// Keeps a process for the next invocation. A process that was killed after the count `kills`
    /// is not kept, since it may not have ended yet.
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
