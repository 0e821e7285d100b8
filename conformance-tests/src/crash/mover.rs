//! A writer of sets that outlives the processes that it writes to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::target::{Client, LOST, Target};
use crate::history::Operation;
use crate::subject::{Ask, AskSet, Changeset, Expect};
use crate::support::CONFLICT;

/// Commits sets of two changesets, each to one of its two streams, and repeats what got no answer with
/// the same key until an answer comes.
#[derive(Debug)]
pub struct Mover {
    streams: [String; 2],
    clock: Arc<AtomicU64>,
    /// How many sets are acknowledged.
    moved: u64,
    is_pending: bool,
    operations: Vec<Operation>,
}

impl Mover {
    /// A mover with a number of its own, and the clock that it shares with the writers.
    pub fn new(id: u64, clock: Arc<AtomicU64>) -> Self {
        Self {
            streams: [format!("from-{id}"), format!("to-{id}")],
            clock,
            moved: 0,
            is_pending: false,
            operations: Vec::new(),
        }
    }

    /// Repeats the last acknowledged set, and then the one without an answer. Returns whether answers
    /// came.
    ///
    /// # Panics
    /// If a set is refused: nobody else writes to its streams.
    pub async fn repeat(&mut self, target: &dyn Target) -> bool {
        if self.moved > 0 && !self.commit(target, self.moved - 1).await {
            return false;
        }
        !self.is_pending || self.commit_next(target).await
    }

    /// The commits and their answers.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Checks that its sets are stored whole, all that were acknowledged and no other.
    ///
    /// # Errors
    /// What is wrong. It begins with the number of the guarantee that is broken.
    pub fn check(&self, log: &[Changeset]) -> Result<(), String> {
        for stream in &self.streams {
            let stored = log.iter().filter(|c| c.stream == *stream).count() as u64;
            if stored != self.moved {
                let moved = self.moved;
                return Err(format!(
                    "G1: a set is stored whole\n  found:    {stored} changesets in `{stream}`\n  \
                     expected: {moved}, as many as sets were acknowledged"
                ));
            }
        }
        Ok(())
    }

    async fn commit_next(&mut self, target: &dyn Target) -> bool {
        self.is_pending = true;
        if !self.commit(target, self.moved).await {
            return false;
        }
        self.is_pending = false;
        self.moved += 1;
        true
    }

    /// Commits the set of this number; whether an answer came.
    async fn commit(&mut self, target: &dyn Target, number: u64) -> bool {
        let key = format!("{} {number}", self.streams[0]);
        let asks = self.streams.each_ref().map(|stream| {
            let events = format!(r#"["{stream} {number}"]"#);
            let ask = Ask::new(stream, Expect::Changeset(number));
            ask.events(events).key(&key)
        });
        let begun = self.tick();
        let answer = target.commit_all(&AskSet::new(asks.clone()).key(key)).await;
        let ended = self.tick();
        for (at, ask) in asks.into_iter().enumerate() {
            self.operations.push(Operation {
                ask,
                answer: answer.clone().map(|told| told[at].clone()),
                begun,
                ended,
            });
        }
        match answer {
            Ok(_) => true,
            Err(failure) if failure.code == LOST => false,
            Err(failure) => {
                let (code, message) = (&failure.code, &failure.message);
                // Nobody else writes to these streams, so a conflict is with the set itself.
                assert!(
                    code != CONFLICT,
                    "G10: a repeat of a set is recognised: {message}"
                );
                panic!("G4: a set is stored or repeated, but it is {code}: {message}")
            }
        }
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}

#[async_trait]
impl Client for Mover {
    async fn work(&mut self, target: &dyn Target) {
        if !self.repeat(target).await {
            return;
        }
        while self.commit_next(target).await {}
    }
}
