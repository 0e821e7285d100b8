//! A writer that outlives the processes that it writes to.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::schedule::Schedule;
use super::target::{Client, LOST, Target};
use crate::history::Operation;
use crate::subject::{Ask, Expect};
use crate::support::CONFLICT;

/// The shared streams: fewer than writers, so that commits conflict.
const STREAMS: u64 = 4;

/// Every so many commits one begins a stream.
const NEW: u64 = 16;

/// Commits, and repeats what got no answer with the same key until an answer comes.
#[derive(Debug)]
pub struct Writer {
    id: u64,
    schedule: Schedule,
    clock: Arc<AtomicU64>,
    asked: u64,
    /// The last changeset and event of each stream, as far as it knows.
    ends: HashMap<String, (u64, u64)>,
    /// The commit without an answer.
    pending: Option<Ask>,
    /// The last acknowledged commit.
    acknowledged: Option<Ask>,
    operations: Vec<Operation>,
}

impl Writer {
    /// A writer with a number of its own, and the clock that it shares with the others.
    pub fn new(id: u64, schedule: Schedule, clock: Arc<AtomicU64>) -> Self {
        Self {
            id,
            schedule,
            clock,
            asked: 0,
            ends: HashMap::new(),
            pending: None,
            acknowledged: None,
            operations: Vec::new(),
        }
    }

    /// Repeats the last acknowledged commit, and then the one without an answer. Returns whether
    /// answers came.
    ///
    /// # Panics
    /// If a commit is refused for another reason than a conflict.
    pub async fn repeat(&mut self, target: &dyn Target) -> bool {
        if let Some(ask) = self.acknowledged.clone()
            && !self.commit(target, &ask).await
        {
            return false;
        }
        self.commit_pending(target).await
    }

    /// The commits and their answers.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    async fn commit_pending(&mut self, target: &dyn Target) -> bool {
        let Some(ask) = self.pending.clone() else {
            return true;
        };
        let is_answered = self.commit(target, &ask).await;
        if is_answered {
            self.pending = None;
        }
        is_answered
    }

    /// Commits; whether an answer came.
    async fn commit(&mut self, target: &dyn Target, ask: &Ask) -> bool {
        let begun = self.tick();
        let answer = target.commit(ask).await;
        let operation = Operation {
            ask: ask.clone(),
            answer: answer.clone(),
            begun,
            ended: self.tick(),
        };
        self.operations.push(operation);
        match answer {
            Ok(committed) => {
                self.learn(ask, committed.changeset_id, committed.last_event_id);
                self.acknowledged = Some(ask.clone());
            }
            Err(failure) if failure.code == LOST => return false,
            Err(failure) => {
                let (code, message) = (&failure.code, &failure.message);
                assert!(
                    code == CONFLICT,
                    "G4: {ask:?} succeeds or conflicts, but it is {code}: {message}"
                );
                let told = failure.forthcoming.map(|page| page.items);
                if let Some(last) = told.unwrap_or_default().last() {
                    self.learn(ask, last.changeset_id, last.last_event_id);
                }
            }
        }
        true
    }

    fn learn(&mut self, ask: &Ask, changeset: u64, event: u64) {
        let end = self.ends.entry(ask.stream.clone()).or_default();
        *end = (*end).max((changeset, event));
    }

    /// A commit of one to three events that no other asks for.
    fn ask(&mut self) -> Ask {
        self.asked += 1;
        let name = format!("{}-{}", self.id, self.asked);
        let stream = match self.schedule.below(NEW) {
            0 => format!("new-{name}"),
            number => format!("s{}", number % STREAMS),
        };
        let (changeset, event) = self.ends.get(&stream).copied().unwrap_or_default();
        let expect = match self.schedule.below(2) {
            0 => Expect::Changeset(changeset),
            _ => Expect::Event(event),
        };
        let events = (0..=self.schedule.below(3)).map(|_| format!("\"{name}\""));
        let events = format!("[{}]", events.collect::<Vec<_>>().join(","));
        Ask::new(&stream, expect).events(events).key(name)
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}

#[async_trait]
impl Client for Writer {
    async fn work(&mut self, target: &dyn Target) {
        if !self.repeat(target).await {
            return;
        }
        loop {
            self.pending = Some(self.ask());
            if !self.commit_pending(target).await {
                return;
            }
        }
    }
}
