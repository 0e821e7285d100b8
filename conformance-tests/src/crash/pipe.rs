//! The test's own end of the pipes to a child process.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};

use super::message::{Answer, Asked, Call, Said, read};
use super::target::{Target, lost};
use crate::place::within;
use crate::subject::{Ask, AskSet, Committed, Failure, GlobalPage, GlobalRead};

/// How far a child process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Starting,
    Opening,
    Ready,
    Gone,
}

/// Calls to a child process, and its answers.
pub(super) struct Pipe {
    calls: Mutex<ChildStdin>,
    /// The waits for answers; `None` once no more answers come.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>,
    next: AtomicU64,
    stage: watch::Sender<Stage>,
}

impl Pipe {
    pub(super) fn new(calls: ChildStdin) -> Self {
        Self {
            calls: Mutex::new(calls),
            waiting: Mutex::new(Some(HashMap::new())),
            next: AtomicU64::new(0),
            stage: watch::Sender::new(Stage::Starting),
        }
    }

    /// How far the child has come.
    pub(super) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// Takes what the child says until its process has ended. What it said before the kill counts.
    pub(super) fn listen(&self, said: ChildStdout) {
        let mut said = BufReader::new(said);
        let mut line = Vec::new();
        while said.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            match read(&line) {
                Some(Said::Opening) => drop(self.stage.send_replace(Stage::Opening)),
                Some(Said::Ready) => drop(self.stage.send_replace(Stage::Ready)),
                Some(Said::Answer { id, answer }) => self.give(id, answer),
                None => {}
            }
            line.clear();
        }
        // Ends the waits for answers.
        self.waiting().take();
        self.stage.send_replace(Stage::Gone);
    }

    fn give(&self, id: u64, answer: Answer) {
        let waits = self.waiting().as_mut().and_then(|all| all.remove(&id));
        if let Some(waits) = waits {
            // The receiver may no longer exist.
            let _ = waits.send(answer);
        }
    }

    /// Asks; `None` if no answer came before the process ended.
    async fn ask(&self, asked: Asked) -> Option<Answer> {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        let (sender, answer) = oneshot::channel();
        self.waiting().as_mut()?.insert(id, sender);
        let mut line = serde_json::to_string(&Call { id, asked }).expect("a call is JSON");
        line.push('\n');
        // A process that has ended gives no answer.
        let _ = lock(&self.calls).write_all(line.as_bytes());
        answer.await.ok()
    }

    fn waiting(&self) -> MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<Answer>>>> {
        lock(&self.waiting)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Target for Pipe {
    async fn commit(&self, ask: &Ask) -> Result<Committed, Failure> {
        let stream = &ask.stream;
        let promise = format!("G4: a commit to `{stream}` is answered, or its process is killed");
        match within(&promise, self.ask(Asked::Commit(ask.clone()))).await {
            Some(Answer::Commit(answer)) => answer,
            _ => Err(lost()),
        }
    }

    async fn commit_all(&self, ask: &AskSet) -> Result<Vec<Committed>, Failure> {
        let promise = "G4: a set of commits is answered, or its process is killed";
        match within(promise, self.ask(Asked::CommitAll(ask.clone()))).await {
            Some(Answer::CommitAll(answer)) => answer,
            _ => Err(lost()),
        }
    }

    async fn page(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure> {
        let from = read.checkpoint;
        let promise = format!("G6: a read of the global order from {from} is answered");
        match within(&promise, self.ask(Asked::Page(read.clone()))).await {
            Some(Answer::Page(answer)) => answer,
            _ => Err(lost()),
        }
    }
}
