//! The checker finds what it is there to find.

use super::*;
use crate::history::{Violation, check_reader};
use crate::subject::{Expect, Failure};
use crate::support::CONFLICT;

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
        idempotency_key: None,
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
        replayed: false,
    };
    let failure = |code: &str| Failure {
        code: code.to_owned(),
        message: String::new(),
        forthcoming: None,
        has_the_key: None,
        conflicts: None,
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
    check_operations(operations, log).expect_err("a fault")
}

#[test]
fn a_history_without_a_fault_passes() {
    assert_eq!(check_operations(&history(), &log(&[1, 2, 3])), Ok(()));
    assert_eq!(check_reader(&log(&[1, 2]), &log(&[1, 2])), Ok(()));
    assert_eq!(lost(&history()).count(), 1);
    assert_eq!(stored_all_the_same(&history()), 1);
}

#[test]
fn a_lost_changeset_is_found() {
    let tail = found(&history()[..2], &log(&[1]));
    assert!(tail.starts_with("G4: changeset 2 of `s` "), "{tail}");
    assert!(tail.contains("found:    nothing"), "{tail}");
    let middle = found(&history(), &renumbered(&[1, 3]));
    assert!(middle.starts_with("G4: changeset 2 of `s` "), "{middle}");
    assert!(middle.contains(r#"events: "[3]""#), "{middle}");
    assert!(middle.contains("with the events [2]"), "{middle}");
    assert!(found(&history()[..1], &[]).starts_with("G4: "), "all of it");
}

#[test]
fn a_doubled_changeset_is_found() {
    let doubled = found(&history(), &renumbered(&[1, 2, 3, 3]));
    assert!(
        doubled.starts_with("G10: a commit to `s` is stored once"),
        "{doubled}"
    );
}

#[test]
fn a_hole_is_found() {
    assert!(found(&history(), &log(&[1, 3])).starts_with("G6: "));
    let mut hole = log(&[1, 3]);
    hole[1].checkpoint = Some(1);
    let hole = found(&history()[..1], &hole);
    assert_eq!(hole, format!("{} (stream `s`)", Violation::Hole(2)));
}

#[test]
fn a_changeset_that_changes_is_found() {
    let changes: [fn(&mut Changeset); 5] = [
        |is| is.events = "[7]".to_owned(),
        |is| is.timestamp = "later".to_owned(),
        |is| is.first_event_id += 1,
        |is| is.last_event_id += 1,
        |is| is.stream = "t".to_owned(),
    ];
    for change in changes {
        let mut log = log(&[1, 2, 3]);
        change(&mut log[1]);
        let said = found(&history(), &log);
        assert!(said.starts_with("G4: changeset 2 of `s` "), "{said}");
    }
}

#[test]
fn an_answer_that_changes_is_found() {
    let mut moved = history();
    moved[1].answer.as_mut().expect("an answer").checkpoint = Some(7);
    assert!(found(&moved, &log(&[1, 2, 3])).starts_with("G4: "));
    let mut refused = history();
    refused[3] = told(3, ask(3), Err(CONFLICT));
    assert!(found(&refused, &log(&[1, 2, 3])).starts_with("G10: "));
    assert!(found(&history()[..3], &log(&[1, 2, 3])).contains("is answered in the end"));
}

#[test]
fn what_nobody_asked_for_is_found() {
    let unasked = found(&history()[..2], &log(&[1, 2, 3]));
    let expected = Violation::Unacknowledged(3);
    assert_eq!(unasked, format!("{expected} (stream `s`)"));
}

#[test]
fn the_counts_of_a_log() {
    let mut log = log(&[1, 2, 3]);
    log[2].stream = "t".to_owned();
    log[2].last_event_id = 4;
    let expected = Statistics {
        total_streams: 2,
        total_changesets: 3,
        total_events: 6,
        max_stream_length: 2,
        version: 3,
    };
    assert_eq!(statistics(&log), expected);
}
