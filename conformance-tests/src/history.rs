//! Concurrent histories and their checker.
//!
//! Writers record their commits and the answers. Afterwards the checker compares all answers with
//! the final content of the store. Every commit has unique events, so that each changeset
//! identifies its commit.

mod violation;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::subject::{Ask, Changeset, Committed, Expect, Failure, Page, Subject};
use crate::support::{AHEAD, split};
pub use violation::Violation;

/// A commit and its answer.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The commit.
    pub ask: Ask,
    /// The answer.
    pub answer: Result<Committed, Failure>,
    /// The time of the call, on the history's own clock.
    pub begun: u64,
    /// The time of the answer, on the same clock.
    pub ended: u64,
}

/// Records commits.
#[derive(Debug, Default)]
pub struct History {
    clock: AtomicU64,
    operations: Mutex<Vec<Operation>>,
}

impl History {
    /// Commits, and records the commit and its answer.
    ///
    /// # Errors
    /// The store's refusal or failure, which is also recorded.
    pub async fn commit(&self, subject: &dyn Subject, ask: Ask) -> Result<Committed, Failure> {
        let begun = self.tick();
        let answer = subject.commit(&ask).await;
        let operation = Operation {
            ask,
            answer: answer.clone(),
            begun,
            ended: self.tick(),
        };
        self.lock().push(operation);
        answer
    }

    /// The records so far.
    pub fn operations(&self) -> Vec<Operation> {
        self.lock().clone()
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Operation>> {
        self.operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compares the commits to one stream, and their answers, with the final content of the stream.
///
/// # Errors
/// The first [`Violation`] found.
pub fn check_stream(
    operations: &[Operation],
    stream: &str,
    stands: &[Changeset],
) -> Result<(), Violation> {
    let ours: Vec<&Operation> = operations
        .iter()
        .filter(|operation| operation.ask.stream == stream)
        .collect();
    check_dense(stands)?;
    for operation in &ours {
        check_seen(operation, &ours)?;
        match &operation.answer {
            Ok(committed) => check_acknowledged(&operation.ask, committed, stands)?,
            Err(failure) => {
                if let Some(told) = &failure.forthcoming {
                    check_told(operation.ask.expect, told, stands)?;
                }
            }
        }
    }
    check_winners(&ours)?;
    check_authors(&ours, stands)
}

/// Compares the changesets that a reader of the global order got with the final global order.
///
/// # Errors
/// The first [`Violation`] found.
pub fn check_reader(read: &[Changeset], log: &[Changeset]) -> Result<(), Violation> {
    for (at, is) in log.iter().enumerate() {
        let position = is.checkpoint.unwrap_or_default();
        match read.get(at) {
            Some(found) if found == is => {}
            Some(found) if log[..at].contains(found) => return Err(Violation::Repeated(position)),
            _ => return Err(Violation::Skipped(position)),
        }
    }
    match read.get(log.len()) {
        Some(more) => Err(Violation::Repeated(more.checkpoint.unwrap_or_default())),
        None => Ok(()),
    }
}

fn check_dense(stands: &[Changeset]) -> Result<(), Violation> {
    let mut last_event = 0;
    for (id, changeset) in (1..).zip(stands) {
        let count = split(&changeset.events).len() as u64;
        let expected = (id, last_event + 1, last_event + count);
        last_event += count;
        let found = (
            changeset.changeset_id,
            changeset.first_event_id,
            changeset.last_event_id,
        );
        if found != expected {
            return Err(Violation::Hole(id));
        }
    }
    Ok(())
}

fn check_acknowledged(
    ask: &Ask,
    committed: &Committed,
    stands: &[Changeset],
) -> Result<(), Violation> {
    let id = committed.changeset_id;
    let right_place = match ask.expect {
        Expect::Changeset(last) => id == last + 1,
        Expect::Event(last) => committed.first_event_id == last + 1,
    };
    // A client's key is found anywhere in its stream.
    if !right_place && !committed.replayed {
        return Err(Violation::WrongPlace(id));
    }
    let stands_there = at(stands, id).is_some_and(|changeset| {
        changeset.events == ask.events
            && changeset.first_event_id == committed.first_event_id
            && changeset.last_event_id == committed.last_event_id
            && changeset.timestamp == committed.timestamp
    });
    if stands_there {
        Ok(())
    } else {
        Err(Violation::LostAcknowledgement(id))
    }
}

/// A conflict lists the stored changesets after the expectation, without a gap.
fn check_told(
    expect: Expect,
    told: &Page<Changeset>,
    stands: &[Changeset],
) -> Result<(), Violation> {
    let (first, wanted) = match expect {
        Expect::Changeset(last) => (last + 1, last + 1),
        Expect::Event(last) => {
            let holder = stands.iter().find(|c| c.last_event_id > last);
            (holder.map_or(0, |c| c.changeset_id), last + 1)
        }
    };
    if told.items.is_empty() {
        return Err(Violation::ToldTheWrongPart(wanted));
    }
    for (id, changeset) in (first..).zip(&told.items) {
        let same = |stands: &Changeset| {
            // A store that orders after the commit may have assigned the position since.
            let checkpoint = changeset.checkpoint.or(stands.checkpoint);
            changeset.clone()
                == Changeset {
                    checkpoint,
                    ..stands.clone()
                }
                || Changeset {
                    checkpoint,
                    ..changeset.clone()
                } == *stands
        };
        if !at(stands, changeset.changeset_id).is_some_and(same) {
            return Err(Violation::ToldOfWhatDidNotLast(changeset.changeset_id));
        }
        if changeset.changeset_id != id {
            return Err(Violation::ToldTheWrongPart(wanted));
        }
    }
    Ok(())
}

/// An answer takes into account every commit that was acknowledged before its call.
fn check_seen(operation: &Operation, all: &[&Operation]) -> Result<(), Violation> {
    let known = match (&operation.answer, operation.ask.expect) {
        (Ok(committed), _) if operation.ask.key.is_none() => committed.changeset_id - 1,
        (Err(failure), expect) => match (&failure.forthcoming, expect) {
            (Some(told), _) if told.next.is_none() => {
                told.items.last().map_or(0, |c| c.changeset_id)
            }
            (None, Expect::Changeset(last)) if failure.code == AHEAD => last - 1,
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    let missed = all
        .iter()
        .filter(|earlier| earlier.ended < operation.begun)
        .filter_map(|earlier| earlier.answer.as_ref().ok())
        .find(|committed| committed.changeset_id > known);
    match missed {
        Some(committed) => Err(Violation::Stale(committed.changeset_id)),
        None => Ok(()),
    }
}

/// Only repeats of one commit with the same key may share a changeset.
fn check_winners(operations: &[&Operation]) -> Result<(), Violation> {
    let won = |operation: &&Operation| {
        let committed = operation.answer.as_ref().ok()?;
        Some((committed.changeset_id, operation.ask.clone()))
    };
    let winners: Vec<(u64, Ask)> = operations.iter().filter_map(won).collect();
    for (at, (id, ask)) in winners.iter().enumerate() {
        let is_other = |(other_id, other): &(u64, Ask)| {
            let repeat = ask.key.is_some() && ask.key == other.key && ask.events == other.events;
            other_id == id && !repeat
        };
        if winners[..at].iter().any(is_other) {
            return Err(Violation::TwoWinners(*id));
        }
    }
    Ok(())
}

/// Each stored changeset is one commit, which was acknowledged or got no answer.
fn check_authors(operations: &[&Operation], stands: &[Changeset]) -> Result<(), Violation> {
    for (at, changeset) in stands.iter().enumerate() {
        let id = changeset.changeset_id;
        if stands[..at].iter().any(|c| c.events == changeset.events) {
            return Err(Violation::Doubled(id));
        }
        let may_be_author = |operation: &&&Operation| match &operation.answer {
            Ok(committed) => committed.changeset_id == id,
            Err(failure) => {
                failure.code == "STORAGE_UNAVAILABLE" && operation.ask.events == changeset.events
            }
        };
        if !operations.iter().any(|operation| may_be_author(&operation)) {
            return Err(Violation::Unacknowledged(id));
        }
    }
    Ok(())
}

fn at(stands: &[Changeset], id: u64) -> Option<&Changeset> {
    let index = usize::try_from(id).ok()?.checked_sub(1)?;
    stands.get(index)
}

#[cfg(test)]
mod tests;
