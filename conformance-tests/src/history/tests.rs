//! Every kind of violation is found, and a history without one is let pass.

use super::*;
use crate::support::CONFLICT;

const STREAM: &str = "s";

/// Changeset `id` of a stream of one-event changesets.
fn stored(id: u64) -> Changeset {
    Changeset {
        stream: STREAM.to_owned(),
        changeset_id: id,
        first_event_id: id,
        last_event_id: id,
        timestamp: "2021-01-05T13:15:30.000000Z".to_owned(),
        events: format!("[{id}]"),
        metadata: "{}".to_owned(),
        checkpoint: Some(id - 1),
        idempotency_key: None,
    }
}

fn stored_up_to(last: u64) -> Vec<Changeset> {
    (1..=last).map(stored).collect()
}

fn operation(at: u64, ask: Ask, answer: Result<Committed, Failure>) -> Operation {
    Operation {
        ask,
        answer,
        begun: at * 10,
        ended: at * 10 + 1,
    }
}

/// A commit that became changeset `id`, asked and answered at some time.
fn won(at: u64, id: u64) -> Operation {
    let ask = Ask::new(STREAM, Expect::Changeset(id - 1)).events(format!("[{id}]"));
    let stored = stored(id);
    let committed = Committed {
        stream: stored.stream,
        changeset_id: id,
        first_event_id: id,
        last_event_id: id,
        timestamp: stored.timestamp,
        checkpoint: stored.checkpoint,
        replayed: false,
    };
    operation(at, ask, Ok(committed))
}

/// A commit that expected `last` and was told of these changesets.
fn lost(at: u64, last: u64, told: Vec<Changeset>) -> Operation {
    let ask = Ask::new(STREAM, Expect::Changeset(last)).events("[\"lost\"]");
    let page = Page {
        items: told,
        next: None,
    };
    operation(at, ask, Err(failure(CONFLICT, Some(page))))
}

fn failure(code: &str, forthcoming: Option<Page<Changeset>>) -> Failure {
    Failure {
        code: code.to_owned(),
        message: String::new(),
        forthcoming,
        has_the_key: None,
        conflicts: None,
    }
}

fn check(operations: &[Operation], stands: &[Changeset]) -> Result<(), Violation> {
    check_stream(operations, STREAM, stands)
}

#[test]
fn a_history_without_fault_passes() {
    let mut by_event = lost(4, 1, stored_up_to(3)[1..].to_vec());
    by_event.ask.expect = Expect::Event(1);
    let unknown = Ask::new(STREAM, Expect::Changeset(3)).events("[4]");
    let unknown = operation(5, unknown, Err(failure("STORAGE_UNAVAILABLE", None)));
    let operations = [
        won(0, 1),
        lost(1, 0, stored_up_to(1)),
        won(2, 2),
        won(3, 3),
        by_event,
        unknown,
    ];
    assert_eq!(check(&operations, &stored_up_to(4)), Ok(()));
}

#[test]
fn what_a_conflict_told_may_have_had_no_position_yet() {
    let mut told = stored(1);
    told.checkpoint = None;
    let operations = [won(0, 1), lost(1, 0, vec![told])];
    assert_eq!(check(&operations, &stored_up_to(1)), Ok(()));
}

#[test]
fn repeats_of_one_commit_may_share_a_changeset() {
    let repeat = |at| {
        let mut operation = won(at, 1);
        operation.ask.key = Some("key".to_owned());
        operation
    };
    let operations = [repeat(0), won(1, 2), repeat(2)];
    assert_eq!(check(&operations, &stored_up_to(2)), Ok(()));
}

#[test]
fn a_hole_is_found() {
    let stands = [stored(1), stored(3)];
    assert_eq!(check(&[won(0, 1)], &stands), Err(Violation::Hole(2)));
    let mut torn = stored_up_to(2);
    torn[1].first_event_id = 3;
    torn[1].last_event_id = 3;
    assert_eq!(check(&[won(0, 1)], &torn), Err(Violation::Hole(2)));
}

#[test]
fn two_winners_are_found() {
    let operations = [won(0, 1), won(0, 1)];
    let found = check(&operations, &stored_up_to(1));
    assert_eq!(found, Err(Violation::TwoWinners(1)));
}

#[test]
fn a_lost_acknowledgement_is_found() {
    let lost = Err(Violation::LostAcknowledgement(2));
    let operations = [won(0, 1), won(1, 2)];
    assert_eq!(check(&operations, &stored_up_to(1)), lost);
    let mut overwritten = stored_up_to(2);
    overwritten[1].events = "[7]".to_owned();
    assert_eq!(check(&operations, &overwritten), lost);
}

#[test]
fn a_commit_in_the_wrong_place_is_found() {
    let mut operation = won(0, 1);
    operation.ask.expect = Expect::Event(3);
    let found = check(&[operation], &stored_up_to(1));
    assert_eq!(found, Err(Violation::WrongPlace(1)));
}

#[test]
fn a_doubled_commit_is_found() {
    let mut stands = stored_up_to(2);
    stands[1].events = stands[0].events.clone();
    let found = check(&[won(0, 1)], &stands);
    assert_eq!(found, Err(Violation::Doubled(2)));
}

#[test]
fn a_commit_that_stands_though_it_was_refused_is_found() {
    let mut stands = stored_up_to(2);
    stands[1].events = "[\"lost\"]".to_owned();
    let operations = [won(0, 1), lost(1, 0, stored_up_to(1))];
    let found = check(&operations, &stands);
    assert_eq!(found, Err(Violation::Unacknowledged(2)));
}

#[test]
fn a_conflict_that_told_of_what_did_not_last_is_found() {
    let operations = [won(0, 1), lost(1, 0, stored_up_to(2))];
    let found = check(&operations, &stored_up_to(1));
    assert_eq!(found, Err(Violation::ToldOfWhatDidNotLast(2)));
    let mut other = stored(1);
    other.events = "[7]".to_owned();
    let operations = [won(0, 1), lost(1, 0, vec![other])];
    let found = check(&operations, &stored_up_to(1));
    assert_eq!(found, Err(Violation::ToldOfWhatDidNotLast(1)));
}

#[test]
fn a_conflict_that_told_of_the_wrong_part_is_found() {
    let wrong = Err(Violation::ToldTheWrongPart(1));
    let stands = stored_up_to(2);
    for told in [vec![], vec![stored(2)]] {
        let operations = [lost(0, 0, told), won(1, 1), won(2, 2)];
        assert_eq!(check(&operations, &stands), wrong);
    }
}

#[test]
fn an_answer_that_forgot_what_was_acknowledged_is_found() {
    let stale = Err(Violation::Stale(2));
    let stands = stored_up_to(2);
    let forgetful = lost(2, 0, stored_up_to(1));
    assert_eq!(check(&[won(0, 1), won(1, 2), forgetful], &stands), stale);
    let ahead = Ask::new(STREAM, Expect::Changeset(2));
    let ahead = operation(2, ahead, Err(failure(AHEAD, None)));
    assert_eq!(check(&[won(0, 1), won(1, 2), ahead], &stands), stale);
}

#[test]
fn a_reader_that_skipped_or_repeated_is_found() {
    let log = stored_up_to(3);
    let read = |ids: &[u64]| -> Vec<Changeset> { ids.iter().map(|id| stored(*id)).collect() };
    assert_eq!(check_reader(&read(&[1, 2, 3]), &log), Ok(()));
    for (ids, violation) in [
        (&[1, 3][..], Violation::Skipped(1)),
        (&[1, 2], Violation::Skipped(2)),
        (&[1, 1, 2, 3], Violation::Repeated(1)),
        (&[1, 2, 3, 3], Violation::Repeated(2)),
        (&[2, 1, 3], Violation::Skipped(0)),
    ] {
        assert_eq!(check_reader(&read(ids), &log), Err(violation), "{ids:?}");
    }
}
