//! What must be so after the crashes.

use std::collections::{BTreeMap, BTreeSet};

use ees_conformance::history::{Operation, check_reader, check_stream};
use ees_conformance::subject::Changeset;
use serde_json::{Value, json};

use super::wire::LOST;

/// Holds all that was asked and answered against what stands. Each commit must have been repeated
/// until it was answered.
pub(super) fn operations(operations: &[Operation], log: &[Changeset]) -> Result<(), String> {
    check_positions(log)?;
    for (stream, stands) in by_stream(log) {
        check_stream(operations, stream, &stands)
            .map_err(|v| format!("{v} (stream `{stream}`)"))?;
    }
    check_answers(operations, log)
}

/// Holds what a reader got against what stands.
pub(super) fn reader(read: &[Changeset], log: &[Changeset]) -> Result<(), String> {
    check_reader(read, log).map_err(|violation| violation.to_string())
}

/// The counts of a log, as the server tells them.
pub(super) fn statistics(log: &[Changeset]) -> Value {
    let streams = by_stream(log);
    let events = streams.values().filter_map(|stands| stands.last());
    json!({
        "total_streams": streams.len(),
        "total_changesets": log.len(),
        "total_events": events.map(|last| last.last_event_id).sum::<u64>(),
        "max_stream_length": streams.values().map(Vec::len).max().unwrap_or(0),
        "statistics_version": log.len(),
    })
}

/// The commits that got no answer.
pub(super) fn lost(operations: &[Operation]) -> impl Iterator<Item = &Operation> {
    let is_lost = |operation: &&Operation| match &operation.answer {
        Ok(_) => false,
        Err(failure) => failure.code == LOST,
    };
    operations.iter().filter(is_lost)
}

/// How many of the commits that got no answer were told later that they stand.
pub(super) fn stored_all_the_same(operations: &[Operation]) -> usize {
    let stored = operations
        .iter()
        .filter(|operation| operation.answer.is_ok());
    let stored: BTreeSet<&str> = stored.map(events).collect();
    let lost: BTreeSet<&str> = lost(operations).map(events).collect();
    lost.intersection(&stored).count()
}

fn events(operation: &Operation) -> &str {
    &operation.ask.events
}

/// What stands, stream by stream.
pub(super) fn by_stream(log: &[Changeset]) -> BTreeMap<&str, Vec<Changeset>> {
    let mut streams: BTreeMap<&str, Vec<Changeset>> = BTreeMap::new();
    for changeset in log {
        let stands = streams.entry(&changeset.stream).or_default();
        stands.push(changeset.clone());
    }
    streams
}

/// Checkpoints are 0, 1, 2 ...
fn check_positions(log: &[Changeset]) -> Result<(), String> {
    for (position, changeset) in (0..).zip(log) {
        if changeset.checkpoint != Some(position) {
            return Err(format!("G6: {changeset:?} stands at {position}"));
        }
    }
    Ok(())
}

/// Whether a place is the one that was told, if one was.
fn is_told(told: Option<u64>, place: Option<u64>) -> bool {
    told.is_none() || told == place
}

/// Every commit was answered in the end; who was told that it stands finds it, at the checkpoint
/// that was told, and nobody else does.
fn check_answers(operations: &[Operation], log: &[Changeset]) -> Result<(), String> {
    let key = |changeset: &Changeset| (changeset.stream.clone(), changeset.events.clone());
    let stands: BTreeMap<_, _> = log.iter().map(|is| (key(is), is.checkpoint)).collect();
    let mut unanswered = BTreeSet::new();
    let mut answered = BTreeSet::new();
    for operation in operations {
        let ask = &operation.ask;
        let place = stands.get(&(ask.stream.clone(), ask.events.clone()));
        match &operation.answer {
            Ok(committed) if !place.is_some_and(|place| is_told(committed.checkpoint, *place)) => {
                return Err(format!("G4: {committed:?} stands at {place:?}"));
            }
            Err(failure) if failure.code == LOST => {
                unanswered.insert(&ask.key);
                continue;
            }
            Err(_) if place.is_some() => {
                return Err(format!("G10: {ask:?} was refused and stands"));
            }
            _ => {}
        }
        answered.insert(&ask.key);
    }
    match unanswered.difference(&answered).next() {
        Some(key) => Err(format!("{key:?} was never answered")),
        None => Ok(()),
    }
}

/// The checker finds what it is there to find.
mod tests {
    use ees_conformance::history::Violation;
    use ees_conformance::subject::{Ask, Committed, Expect, Failure};

    use super::super::wire::CONFLICT;
    use super::*;

    fn ask(id: u64) -> Ask {
        let expect = Expect::Changeset(id - 1);
        let ask = Ask::new("s", expect).events(format!("[{id}]"));
        ask.key(format!("k{id}"))
    }

    fn stored(id: u64) -> Changeset {
        Changeset {
            stream: "s".to_owned(),
            changeset_id: id,
            first_event_id: id,
            last_event_id: id,
            timestamp: String::new(),
            events: ask(id).events,
            metadata: "{}".to_owned(),
            checkpoint: Some(id - 1),
        }
    }

    fn told(at: u64, ask: Ask, answer: Result<u64, &str>) -> Operation {
        let committed = |id| Committed {
            stream: "s".to_owned(),
            changeset_id: id,
            first_event_id: id,
            last_event_id: id,
            timestamp: String::new(),
            checkpoint: Some(id - 1),
        };
        let failure = |code: &str| Failure {
            code: code.to_owned(),
            message: String::new(),
            forthcoming: None,
        };
        Operation {
            ask,
            answer: answer.map(committed).map_err(failure),
            begun: 2 * at,
            ended: 2 * at + 1,
        }
    }

    /// Two commits that were answered, and one whose answer was lost and came with the repeat.
    fn history() -> Vec<Operation> {
        vec![
            told(0, ask(1), Ok(1)),
            told(1, ask(2), Ok(2)),
            told(2, ask(3), Err(LOST)),
            told(3, ask(3), Ok(3)),
        ]
    }

    fn log(ids: &[u64]) -> Vec<Changeset> {
        ids.iter().copied().map(stored).collect()
    }

    /// A log whose places are given anew, as a store would that had lost or doubled something.
    fn renumbered(ids: &[u64]) -> Vec<Changeset> {
        let place = |(at, id): (u64, &u64)| Changeset {
            events: stored(*id).events,
            ..stored(at)
        };
        (1..).zip(ids).map(place).collect()
    }

    fn found(operations: &[Operation], log: &[Changeset]) -> String {
        super::operations(operations, log).expect_err("a fault")
    }

    #[test]
    fn a_history_without_a_fault_passes() {
        assert_eq!(operations(&history(), &log(&[1, 2, 3])), Ok(()));
        assert_eq!(reader(&log(&[1, 2]), &log(&[1, 2])), Ok(()));
        assert_eq!(
            (lost(&history()).count(), stored_all_the_same(&history())),
            (1, 1)
        );
    }

    #[test]
    fn a_lost_changeset_is_found() {
        let tail = found(&history()[..2], &log(&[1]));
        assert_eq!(
            tail,
            format!("{} (stream `s`)", Violation::LostAcknowledgement(2))
        );
        assert!(
            found(&history(), &renumbered(&[1, 3]))
                .contains(&Violation::LostAcknowledgement(2).to_string())
        );
        assert!(found(&history()[..1], &[]).starts_with("G4"), "all of it");
    }

    #[test]
    fn a_doubled_changeset_is_found() {
        let doubled = found(&history(), &renumbered(&[1, 2, 3, 3]));
        assert_eq!(doubled, format!("{} (stream `s`)", Violation::Doubled(4)));
    }

    #[test]
    fn a_hole_is_found() {
        assert!(found(&history(), &log(&[1, 3])).starts_with("G6"));
        let mut hole = log(&[1, 2]);
        hole[1].changeset_id = 3;
        assert_eq!(
            found(&history()[..2], &hole),
            format!("{} (stream `s`)", Violation::Hole(2))
        );
    }

    #[test]
    fn an_answer_that_changes_is_found() {
        let mut moved = history();
        moved[1].answer.as_mut().expect("an answer").checkpoint = Some(7);
        assert!(found(&moved, &log(&[1, 2, 3])).starts_with("G4"));
        let mut refused = history();
        refused[3] = told(3, ask(3), Err(CONFLICT));
        assert!(found(&refused, &log(&[1, 2, 3])).starts_with("G10"));
        assert!(found(&history()[..3], &log(&[1, 2, 3])).contains("never answered"));
    }

    #[test]
    fn what_nobody_asked_for_is_found() {
        let unasked = found(&history()[..2], &log(&[1, 2, 3]));
        assert_eq!(
            unasked,
            format!("{} (stream `s`)", Violation::Unacknowledged(3))
        );
    }

    #[test]
    fn a_reader_that_skips_or_repeats_is_found() {
        let stands = log(&[1, 2, 3]);
        assert_eq!(
            reader(&log(&[1, 3]), &stands),
            Err(Violation::Skipped(1).to_string())
        );
        let twice = reader(&log(&[1, 1, 2, 3]), &stands);
        assert_eq!(twice, Err(Violation::Repeated(1).to_string()));
    }
}
