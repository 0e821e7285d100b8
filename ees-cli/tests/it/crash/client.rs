//! Writers and readers that outlive their servers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ees_conformance::history::Operation;
use ees_conformance::subject::{Ask, Changeset, Expect};

use super::schedule::Schedule;
use super::wire;
use crate::process::LONG;

/// Fewer than there are writers, so that they get in each other's way.
const STREAMS: u64 = 4;

/// Who works until the server is gone, and goes on with the next one.
pub(super) trait Client: Send + 'static {
    /// Works until no answer comes.
    fn work(&mut self, address: &str);
}

/// Commits to any stream, and repeats what got no answer with the same key until one comes.
pub(super) struct Writer {
    id: u64,
    schedule: Schedule,
    clock: Arc<AtomicU64>,
    asked: u64,
    /// The last changeset and event of each stream, as far as it knows.
    ends: HashMap<String, (u64, u64)>,
    /// What got no answer yet.
    pending: Option<Ask>,
    /// What was acknowledged last.
    acknowledged: Option<Ask>,
    operations: Vec<Operation>,
}

impl Writer {
    pub(super) fn new(id: u64, schedule: Schedule, clock: Arc<AtomicU64>) -> Self {
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

    /// Gets an answer for what has none yet, and to what was acknowledged last once more.
    pub(super) fn settle(&mut self, address: &str) {
        let begun = Instant::now();
        while !self.repeat(address) {
            let last = self.operations.last().map(|last| &last.answer);
            assert!(begun.elapsed() < LONG, "the server answers, not {last:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What was asked and answered since the last time.
    pub(super) fn operations(&mut self) -> Vec<Operation> {
        std::mem::take(&mut self.operations)
    }

    /// What was acknowledged last, and then what got no answer; whether answers came.
    fn repeat(&mut self, address: &str) -> bool {
        let acknowledged = self.acknowledged.clone();
        let mut again = acknowledged.iter();
        again.all(|ask| self.commit(address, ask)) && self.commit_pending(address)
    }

    fn commit_pending(&mut self, address: &str) -> bool {
        let Some(ask) = self.pending.clone() else {
            return true;
        };
        let answered = self.commit(address, &ask);
        if answered {
            self.pending = None;
        }
        answered
    }

    /// Commits; whether an answer came.
    fn commit(&mut self, address: &str, ask: &Ask) -> bool {
        let begun = self.tick();
        let answer = wire::commit(address, ask);
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
            Err(failure) if failure.code == wire::LOST => return false,
            Err(failure) => {
                assert_eq!(failure.code, wire::CONFLICT, "G4: {failure:?} to {ask:?}");
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
        let stream = format!("s{}", self.schedule.below(STREAMS));
        let (changeset, event) = self.ends.get(&stream).copied().unwrap_or_default();
        let expect = match self.schedule.below(2) {
            0 => Expect::Changeset(changeset),
            _ => Expect::Event(event),
        };
        self.asked += 1;
        let name = format!("{}-{}", self.id, self.asked);
        let events = (0..=self.schedule.below(3)).map(|_| format!("\"{name}\""));
        let events = format!("[{}]", events.collect::<Vec<_>>().join(","));
        Ask::new(&stream, expect).events(events).key(name)
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}

impl Client for Writer {
    fn work(&mut self, address: &str) {
        if !self.repeat(address) {
            return;
        }
        loop {
            self.pending = Some(self.ask());
            if !self.commit_pending(address) {
                return;
            }
        }
    }
}

/// Follows `next_checkpoint`.
pub(super) struct Reader {
    limit: u64,
    next: u64,
    /// What came, in its order.
    pub(super) read: Vec<Changeset>,
}

impl Reader {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            next: 0,
            read: Vec::new(),
        }
    }

    /// Reads until it has as many.
    pub(super) fn catch_up(&mut self, address: &str, length: usize) {
        let begun = Instant::now();
        while self.read.len() < length {
            self.turn(address);
            assert!(begun.elapsed() < LONG, "G8: what stands can be read");
        }
    }

    /// Reads a page; whether an answer came.
    fn turn(&mut self, address: &str) -> bool {
        let Some((changesets, next)) = wire::page(address, self.next, self.limit) else {
            return false;
        };
        self.read.extend(changesets);
        self.next = next;
        true
    }
}

impl Client for Reader {
    fn work(&mut self, address: &str) {
        while self.turn(address) {}
    }
}
