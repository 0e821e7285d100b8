//! Compares the stored changesets after the last kill with the answers before it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use ees_core::adapter::Storage;

use super::check::{by_stream, check_operations, lost, statistics, stored_all_the_same};
use super::harness::CrashHarness;
use super::mover::Mover;
use super::opening::open;
use super::reader::Reader;
use super::writer::Writer;
use crate::history::{Operation, check_reader};
use crate::place::{Place, within};
use crate::subject::{Changeset, Direct, Subject};
use crate::support::{NOT_FOUND, head, log, stream, unplaced};

/// The largest page of the global order.
const PAGE: u64 = crate::support::GLOBAL_LIMIT;

/// How long a writer waits before it repeats what got no answer.
const PAUSE: Duration = Duration::from_millis(20);

/// What one store has seen.
pub(super) struct Outcome {
    stored: usize,
    lost: usize,
    stored_all_the_same: usize,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} changesets, {} answers lost, of which {} had been stored",
            self.stored, self.lost, self.stored_all_the_same
        )
    }
}

/// Opens the store, gets an answer to everything, and checks.
pub(super) async fn conclude<H: CrashHarness>(
    place: &H,
    writers: &mut [Writer],
    movers: &mut [Mover],
    readers: &mut [Reader],
) -> Outcome {
    let storage = open(place).await;
    let store = Direct::new(storage.clone());
    for writer in &mut *writers {
        let promise = "G10: a commit without an answer is answered when it is repeated";
        within(promise, settle(async || writer.repeat(&*store).await)).await;
    }
    for mover in &mut *movers {
        let promise = "G10: a set without an answer is answered when it is repeated";
        within(promise, settle(async || mover.repeat(&*store).await)).await;
    }
    within("G8: every changeset gets its position", place.settle()).await;
    let log = log(&*store, 0, PAGE).await;
    let operations = writers.iter().flat_map(Writer::operations);
    let operations = operations.chain(movers.iter().flat_map(Mover::operations));
    let operations: Vec<Operation> = operations.cloned().collect();
    check_streams(&*store, &operations, &log).await;
    check_operations(&operations, &log).unwrap_or_else(|fault| Place::here().fail(fault));
    for mover in movers {
        let whole = mover.check(&log);
        whole.unwrap_or_else(|fault| Place::here().fail(fault));
    }
    for reader in readers {
        let promise = "G6: a reader continues from its checkpoint before the kill";
        within(promise, reader.catch_up(&*store, log.len())).await;
        let read = check_reader(reader.read(), &log);
        read.unwrap_or_else(|violation| Place::here().fail(violation));
    }
    check_counts(&*store, &log).await;
    within("G4: the store closes", storage.close()).await;
    Outcome {
        stored: log.len(),
        lost: lost(&operations).count(),
        stored_all_the_same: stored_all_the_same(&operations),
    }
}

/// Repeats until answers come.
async fn settle(mut repeat: impl AsyncFnMut() -> bool) {
    while !repeat().await {
        tokio::time::sleep(PAUSE).await;
    }
}

/// Streams, their heads and the global order tell of the same changesets.
async fn check_streams(store: &dyn Subject, operations: &[Operation], log: &[Changeset]) {
    let of_log = by_stream(log);
    let asked: BTreeSet<&str> = operations.iter().map(|o| o.ask.stream.as_str()).collect();
    for name in asked {
        let Some(expected) = of_log.get(name) else {
            let found = store.head(name).await;
            let is_absent = found.as_ref().is_err_and(|f| f.code == NOT_FOUND);
            Place::here().check(is_absent, || {
                format!("G6: `{name}` is in the global order if it has a head: {found:?}")
            });
            continue;
        };
        let found = stream(store, name).await;
        let message = format!("G6: the global order has the changesets of `{name}`");
        Place::here().same(&unplaced(&found), &unplaced(expected), &message);
        let end = head(store, name).await;
        let last = expected.last().map(|c| (c.changeset_id, c.last_event_id));
        let message = format!("G5: the head of `{name}` is its last changeset");
        Place::here().same(&Some((end.last_changeset, end.last_event)), &last, &message);
    }
}

/// The counts and the end of the order are those of the log.
async fn check_counts(store: &dyn Subject, log: &[Changeset]) {
    let length = log.len() as u64;
    let next = crate::support::end_of_log(store).await;
    Place::here().same(&next, &length, "G6: the end of the global order");
    let found = within("G13: the counts are read", store.statistics_at(length)).await;
    let expected = Ok(statistics(log));
    Place::here().same(&found, &expected, "G13: the counts are exact");
}
