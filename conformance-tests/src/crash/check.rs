//! The checks after the crashes.
//!
//! Every commit asks for events that no other asks for, and is repeated until it is answered.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::target::LOST;
use crate::history::{Operation, check_stream};
use crate::subject::{Ask, Changeset, Committed, Statistics};

/// Checks the global order, read from its beginning: positions are 0, 1, 2 ..., and no commit is
/// stored twice.
///
/// # Errors
/// The first fault, which begins with the number of the guarantee that is broken.
pub fn check_log(log: &[Changeset]) -> Result<(), String> {
    let mut seen: HashMap<(&str, &str), &Changeset> = HashMap::new();
    for (position, changeset) in (0..).zip(log) {
        if changeset.checkpoint != Some(position) {
            return Err(format!(
                "G6: checkpoints are dense\n  found:    {changeset:?}\n  expected: checkpoint \
                 {position}"
            ));
        }
        let commit = (changeset.stream.as_str(), changeset.events.as_str());
        if let Some(first) = seen.insert(commit, changeset) {
            return Err(format!(
                "G10: a commit to `{}` is stored once, but it is stored twice\n  first: {first:?}\n  \
                 again: {changeset:?}",
                changeset.stream
            ));
        }
    }
    Ok(())
}

/// Compares all commits and their answers with the global order.
///
/// # Errors
/// The first fault, which begins with the number of the guarantee that is broken.
pub fn check_operations(operations: &[Operation], log: &[Changeset]) -> Result<(), String> {
    check_log(log)?;
    let streams = by_stream(log);
    check_acknowledged(operations, &streams)?;
    let mut asked: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
    for operation in operations {
        let of_stream = asked.entry(&operation.ask.stream).or_default();
        of_stream.push(operation.clone());
    }
    for (stream, stands) in &streams {
        let asked = asked.remove(stream).unwrap_or_default();
        check_stream(&asked, stream, stands)
            .map_err(|violation| format!("{violation} (stream `{stream}`)"))?;
    }
    check_refused(operations, log)?;
    check_all_answered(operations)
}

/// The counts of a log.
pub fn statistics(log: &[Changeset]) -> Statistics {
    let streams = by_stream(log);
    let last = streams.values().filter_map(|stands| stands.last());
    Statistics {
        total_streams: streams.len() as u64,
        total_changesets: log.len() as u64,
        total_events: last.map(|last| last.last_event_id).sum(),
        max_stream_length: streams.values().map(Vec::len).max().unwrap_or(0) as u64,
        version: log.len() as u64,
    }
}

/// The stored changesets by stream.
pub fn by_stream(log: &[Changeset]) -> BTreeMap<&str, Vec<Changeset>> {
    let mut streams: BTreeMap<&str, Vec<Changeset>> = BTreeMap::new();
    for changeset in log {
        let stands = streams.entry(&changeset.stream).or_default();
        stands.push(changeset.clone());
    }
    streams
}

/// The commits that got no answer.
pub fn lost(operations: &[Operation]) -> impl Iterator<Item = &Operation> {
    operations.iter().filter(|operation| is_lost(operation))
}

/// The number of commits without an answer whose repeat showed that they were stored.
pub fn stored_all_the_same(operations: &[Operation]) -> usize {
    let stored = operations.iter().filter(|asked| asked.answer.is_ok());
    let stored: BTreeSet<&str> = stored.map(events).collect();
    let lost: BTreeSet<&str> = lost(operations).map(events).collect();
    lost.intersection(&stored).count()
}

fn is_lost(operation: &Operation) -> bool {
    let failure = operation.answer.as_ref().err();
    failure.is_some_and(|failure| failure.code == LOST)
}

fn events(operation: &Operation) -> &str {
    &operation.ask.events
}

/// Acknowledged changesets are stored at their ids, with the content of their commits.
fn check_acknowledged(
    operations: &[Operation],
    streams: &BTreeMap<&str, Vec<Changeset>>,
) -> Result<(), String> {
    for operation in operations {
        let Ok(committed) = &operation.answer else {
            continue;
        };
        let stream = streams.get(committed.stream.as_str());
        let stands = stream.and_then(|stands| {
            let id = committed.changeset_id;
            stands.iter().find(|changeset| changeset.changeset_id == id)
        });
        if !stands.is_some_and(|stands| is_as_told(stands, committed, &operation.ask)) {
            return Err(format!(
                "G4: changeset {} of `{}` is stored as it was acknowledged\n  found:    {}\n  \
                 expected: {committed:?}, with the events {}",
                committed.changeset_id,
                committed.stream,
                stands.map_or_else(|| "nothing".to_owned(), |stands| format!("{stands:?}")),
                operation.ask.events
            ));
        }
    }
    Ok(())
}

fn is_as_told(stands: &Changeset, told: &Committed, ask: &Ask) -> bool {
    stands.stream == ask.stream
        && stands.events == ask.events
        && stands.first_event_id == told.first_event_id
        && stands.last_event_id == told.last_event_id
        && stands.timestamp == told.timestamp
        && told
            .checkpoint
            .is_none_or(|at| stands.checkpoint == Some(at))
}

/// Refused commits are not stored.
fn check_refused(operations: &[Operation], log: &[Changeset]) -> Result<(), String> {
    let commit = |changeset: &Changeset| (changeset.stream.clone(), changeset.events.clone());
    let stands: HashMap<_, _> = log.iter().map(|is| (commit(is), is)).collect();
    for operation in operations.iter().filter(|operation| !is_lost(operation)) {
        let ask = &operation.ask;
        let found = stands.get(&(ask.stream.clone(), ask.events.clone()));
        if let (Err(failure), Some(found)) = (&operation.answer, found) {
            return Err(format!(
                "G10: a commit to `{}` was refused with {}, but it is stored\n  found: {found:?}\n  \
                 asked: {ask:?}",
                ask.stream, failure.code
            ));
        }
    }
    Ok(())
}

/// A commit without an answer was repeated until one came.
fn check_all_answered(operations: &[Operation]) -> Result<(), String> {
    let answered = operations.iter().filter(|operation| !is_lost(operation));
    let answered: BTreeSet<_> = answered.map(|operation| &operation.ask.key).collect();
    let never = lost(operations).find(|operation| !answered.contains(&operation.ask.key));
    match never {
        Some(never) => Err(format!("G10: {:?} is answered in the end", never.ask)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
