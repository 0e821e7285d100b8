//! A child process with a store.

use std::env;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::pipe::{Pipe, Stage};
use crate::environment::LOCATION;
use crate::place::{Place, within};

/// A child process. It is killed when it is dropped.
pub(super) struct Process {
    child: Child,
    pipe: Arc<Pipe>,
    listening: Option<JoinHandle<()>>,
    complaining: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts a test as a child process on a store.
    pub(super) fn start(test: &str, location: &str) -> Self {
        let binary = env::current_exe().expect("the path of the test binary");
        // The test runner knows a test without the name of its crate.
        let name = test.split_once("::").map_or(test, |(_, name)| name);
        let mut command = Command::new(binary);
        command.args(["--exact", name, "--nocapture"]);
        command.env(LOCATION, location).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the test binary starts");
        let pipe = Pipe::new(child.stdin.take().expect("its standard input"));
        let pipe = Arc::new(pipe);
        let said = child.stdout.take().expect("its standard output");
        let listener = Arc::clone(&pipe);
        let mut errors = child.stderr.take().expect("its standard error");
        let complaining = move || {
            let mut bytes = Vec::new();
            let _ = errors.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Self {
            child,
            pipe,
            listening: Some(std::thread::spawn(move || listener.listen(said))),
            complaining: Some(std::thread::spawn(complaining)),
        }
    }

    pub(super) fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }

    /// Waits until the process begins to open the store.
    pub(super) async fn begin(&mut self) {
        self.reach(Stage::Opening, "G4: a process begins to open the store")
            .await;
    }

    /// Waits until the store is open; how long that took.
    pub(super) async fn open(&mut self) -> Duration {
        self.begin().await;
        let begun = Instant::now();
        self.reach(Stage::Ready, "G4: a process opens the store")
            .await;
        begun.elapsed()
    }

    async fn reach(&mut self, stage: Stage, promise: &str) {
        let mut stages = self.pipe.stage();
        let reached = within(promise, stages.wait_for(|now| *now >= stage)).await;
        let reached = reached.map_or(Stage::Gone, |now| *now);
        if reached == Stage::Gone {
            self.ended_by_itself(promise);
        }
    }

    /// SIGKILL. Returns once all that it said has been heard.
    pub(super) fn kill(mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            self.ended_by_itself("G4: a process works until it is killed");
        }
        self.end();
    }

    fn ended_by_itself(&mut self, promise: &str) -> ! {
        self.end();
        let complaints = self.complaining.take().map(JoinHandle::join);
        let complaints = complaints.and_then(Result::ok).unwrap_or_default();
        let status = self.child.wait().expect("its status");
        Place::here().fail(format!(
            "{promise}, but it ended by itself ({status}):\n{complaints}"
        ))
    }

    fn end(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
