//! G1, G2: a set of commits to several streams is stored whole or not at all.

use crate::Harness;
use crate::subject::{Ask, AskSet, Committed, Expect, Failure, Subject, Unmet, unique};
use crate::support::{
    AHEAD, CONFLICT, commit, commit_all, end_of_log, events, events_of_size, fill, head, length,
    log, of_streams, refused_all, stream, unplaced,
};

/// How many commits and how many checks a set has at most.
const MAX_COMMITS: usize = 25;
const MAX_CHECKS: usize = 50;

/// New streams of so many changesets of one event.
pub(super) async fn streams(subject: &dyn Subject, lengths: &[usize]) -> Vec<String> {
    let mut names = Vec::new();
    for length in lengths {
        let name = unique("of-a-set");
        fill(subject, &name, &vec![1; *length]).await;
        names.push(name);
    }
    names
}

/// So many names of streams that do not exist.
pub(super) fn new_streams(count: usize) -> Vec<String> {
    (0..count).map(|_| unique("new-of-a-set")).collect()
}

/// A commit of two events to a stream of so many changesets.
pub(super) fn member(name: &str, last: u64) -> Ask {
    Ask::new(name, Expect::Changeset(last)).events(events(name, 2))
}

/// A set of one commit to each stream, all of so many changesets.
pub(super) fn set_of(names: &[String], last: u64) -> AskSet {
    AskSet::new(names.iter().map(|name| member(name, last)))
}

/// Asserts that streams have so many changesets.
pub(super) async fn assert_lengths(subject: &dyn Subject, names: &[String], lengths: &[usize]) {
    for (name, expected) in names.iter().zip(lengths) {
        let stands = length(subject, name).await;
        assert_eq!(stands, *expected, "G1: the changesets of `{name}`");
    }
}

/// All changesets of a set stand in their streams, with the next ids, as each was sent.
pub async fn a_set_is_stored_whole(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let names = streams(&*subject, &[0, 1, 3, 2]).await;
    let set = AskSet::new([
        member(&names[0], 0).metadata(r#"{"is": "first"}"#),
        Ask::new(&names[1], Expect::Event(1)).events("[1, 2.50, {}]"),
        member(&names[2], 3).metadata("null"),
    ]);
    let set = set.check(&names[3], Expect::Changeset(2));
    let set = set.check(&unique("not-there"), Expect::Event(0));
    let committed = commit_all(&*subject, &set).await;
    let ids: Vec<_> = committed.iter().map(ids_of).collect();
    assert_eq!(
        ids,
        [(1, 1, 2), (2, 2, 4), (4, 4, 5)],
        "G3: the next ids of each stream"
    );
    for (ask, told) in set.commits.iter().zip(&committed) {
        assert_eq!(
            told.stream, ask.stream,
            "G1: answers in the order of the commits"
        );
        assert!(!told.replayed, "G10: the first answer is no repeat's");
        let stands = stream(&*subject, &ask.stream).await;
        let last = stands.last().expect("G1: the changeset of the set");
        let metadata = ask.metadata.clone().unwrap_or_else(|| "{}".to_owned());
        let stored = (&last.events, &last.metadata);
        assert_eq!(stored, (&ask.events, &metadata), "G1: as it was sent");
        let ids = (last.changeset_id, last.first_event_id, last.last_event_id);
        assert_eq!(ids, ids_of(told), "G3: the ids that were told");
        let end = head(&*subject, &ask.stream).await;
        let end = (end.last_changeset, end.last_event);
        assert_eq!(end, (ids.0, ids.2), "G3: the head");
    }
    assert_lengths(&*subject, &names, &[1, 2, 4, 2]).await;
}

fn ids_of(told: &Committed) -> (u64, u64, u64) {
    (told.changeset_id, told.first_event_id, told.last_event_id)
}

/// A set may have 25 commits and 50 checks, and a single commit.
pub async fn the_largest_set_is_stored(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let seen = streams(&*subject, &[2]).await;
    let names = new_streams(MAX_COMMITS);
    let set = set_of(&names, 0).key("the largest");
    let set = set.check(&seen[0], Expect::Event(2));
    let missing = new_streams(MAX_CHECKS - 1);
    let set = missing
        .iter()
        .fold(set, |set, name| set.check(name, Expect::Changeset(0)));
    commit_all(&*subject, &set).await;
    assert_lengths(&*subject, &names, &[1; MAX_COMMITS]).await;
    commit_all(&*subject, &set_of(&names[..1], 1)).await;
    assert_lengths(&*subject, &names[..2], &[2, 1]).await;
}

/// Where the order is that of the commits, the changesets of a set stand side by side, in the order
/// of the set. In any case each stream keeps its order.
pub async fn members_are_adjacent_in_the_global_order(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let names = new_streams(4);
    let mut told = Vec::new();
    for last in 0..5 {
        let set = AskSet::new(names.iter().rev().map(|name| member(name, last)));
        told.extend(commit_all(&*subject, &set).await);
    }
    harness.settle().await;
    let order = of_streams(&log(&*subject, start, 1000).await, &names);
    assert_eq!(order.len(), told.len(), "G6: each changeset once");
    for name in &names {
        let ours = order.iter().filter(|c| c.stream == *name);
        let ids: Vec<u64> = ours.map(|c| c.changeset_id).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5], "G7: the order of `{name}`");
    }
    if !harness.capabilities().orders_at_commit {
        return;
    }
    for set in told.chunks(names.len()) {
        let first = set[0].checkpoint.expect("G6: a checkpoint at the commit");
        let places: Vec<_> = set.iter().map(|c| c.checkpoint).collect();
        let expected: Vec<_> = (first..).take(set.len()).map(Some).collect();
        assert_eq!(places, expected, "G6: side by side, in their order");
    }
    let placed = order
        .iter()
        .map(|c| (&c.stream, c.changeset_id, c.checkpoint));
    let expected = told
        .iter()
        .map(|c| (&c.stream, c.changeset_id, c.checkpoint));
    assert!(
        placed.eq(expected),
        "G6: the order has the places that were told"
    );
}

/// Five streams and a set of three commits and two checks, all of which hold.
async fn holding(subject: &dyn Subject) -> (Vec<String>, AskSet) {
    let names = streams(subject, &[2, 3, 2, 4, 2]).await;
    let set = AskSet::new([
        member(&names[0], 2),
        member(&names[1], 3),
        Ask::new(&names[2], Expect::Event(2)),
    ]);
    let set = set.check(&names[3], Expect::Changeset(4));
    let set = set.check(&names[4], Expect::Event(2));
    (names, set)
}

/// Changes what the set expects of its commit or check at a place.
fn expecting(mut set: AskSet, at: usize, expect: Expect) -> AskSet {
    let commits = set.commits.len();
    match set.commits.get_mut(at) {
        Some(commit) => commit.expect = expect,
        None => set.checks[at - commits].1 = expect,
    }
    set
}

/// The refusal of a set: what does not hold.
async fn unmet(subject: &dyn Subject, set: &AskSet, code: &str) -> Vec<Unmet> {
    let Failure { conflicts, .. } = refused_all(subject, set, code).await;
    conflicts.expect("G2: a refusal of a set tells what does not hold")
}

fn streams_of(told: &[Unmet]) -> Vec<&String> {
    told.iter().map(|unmet| &unmet.stream).collect()
}

/// One commit or one check that is outdated refuses the set: it alone is told, with what it missed,
/// and nothing is stored. With what is told the set can be committed.
pub async fn one_that_does_not_hold_refuses_all(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (names, set) = holding(&*subject).await;
    for (at, name) in names.iter().enumerate() {
        let stands = unplaced(&stream(&*subject, name).await);
        let end = stands.last().expect("it has changesets");
        for (expect, seen) in [
            (Expect::Changeset(1), 1),
            (Expect::Event(1), 1),
            (Expect::Changeset(0), 0),
        ] {
            let told = unmet(&*subject, &expecting(set.clone(), at, expect), CONFLICT).await;
            assert_eq!(streams_of(&told), [name], "G2: only what does not hold");
            let ids = (told[0].last_changeset, told[0].last_event);
            assert_eq!(ids, (end.changeset_id, end.last_event_id), "G2: its end");
            let missed = &told[0].forthcoming;
            assert_eq!(
                unplaced(&missed.items),
                stands[seen..],
                "G2: what it missed"
            );
            assert_eq!(missed.next, None, "G2: all that it missed");
        }
    }
    assert_lengths(&*subject, &names, &[2, 3, 2, 4, 2]).await;
    commit_all(&*subject, &set).await;
    assert_lengths(&*subject, &names, &[3, 4, 3, 4, 2]).await;
}

/// One that is beyond the end of its stream refuses the set, and so does one of a stream that is
/// missing.
pub async fn one_that_is_ahead_refuses_all(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (names, set) = holding(&*subject).await;
    for (at, name) in names.iter().enumerate() {
        for expect in [Expect::Changeset(5), Expect::Event(7)] {
            let told = unmet(&*subject, &expecting(set.clone(), at, expect), AHEAD).await;
            assert_eq!(streams_of(&told), [name], "G2: only what does not hold");
            assert!(
                told[0].forthcoming.items.is_empty(),
                "G2: it missed nothing"
            );
        }
    }
    let missing = unique("missing");
    let mut with_commit = set.clone();
    with_commit.commits.push(member(&missing, 1));
    for set in [with_commit, set.clone().check(&missing, Expect::Event(1))] {
        let told = unmet(&*subject, &set, AHEAD).await;
        assert_eq!(streams_of(&told), [&missing], "G2: only what does not hold");
        let end = (told[0].last_changeset, told[0].last_event);
        assert_eq!(end, (0, 0), "G2: it has no end");
    }
    assert_lengths(&*subject, &names, &[2, 3, 2, 4, 2]).await;
    assert_lengths(&*subject, &[missing], &[0]).await;
}

/// Everything that does not hold is told, commits before checks, in their order.
pub async fn all_that_do_not_hold_are_told(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (names, set) = holding(&*subject).await;
    let outdated = expecting(set, 0, Expect::Changeset(1));
    let outdated = expecting(outdated, 2, Expect::Event(0));
    let outdated = expecting(outdated, 4, Expect::Event(1));
    let told = unmet(&*subject, &outdated, CONFLICT).await;
    let expected = [&names[0], &names[2], &names[4]];
    assert_eq!(streams_of(&told), expected, "G2: all that are outdated");
    let missed: Vec<_> = told.iter().map(|one| one.forthcoming.items.len()).collect();
    assert_eq!(missed, [1, 2, 1], "G2: what each missed");
    let ahead = expecting(outdated, 3, Expect::Changeset(9));
    let told = unmet(&*subject, &ahead, AHEAD).await;
    let expected = [&names[0], &names[2], &names[3], &names[4]];
    assert_eq!(streams_of(&told), expected, "G2: all that do not hold");
    assert_lengths(&*subject, &names, &[2, 3, 2, 4, 2]).await;
}

/// A conflict lists at most 100 changesets and 256 KiB in all. What has no room tells where it
/// begins.
pub async fn a_conflict_of_a_set_has_bounds(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let names = streams(&*subject, &[60, 60, 3]).await;
    let set = set_of(&names[..2], 1).check(&names[2], Expect::Changeset(2));
    let told = unmet(&*subject, &set, CONFLICT).await;
    let listed = |one: &Unmet| (one.forthcoming.items.len(), one.forthcoming.next);
    let missed: Vec<_> = told.iter().map(listed).collect();
    let expected = [(59, None), (41, Some(43)), (0, Some(3))];
    assert_eq!(missed, expected, "G2: 100 changesets in all");

    let large = unique("large");
    for last in 0..3 {
        let ask = Ask::new(&large, Expect::Changeset(last)).events(events_of_size(150 * 1024));
        commit(&*subject, &ask).await;
    }
    let set = AskSet::new([member(&large, 0), member(&names[2], 1)]);
    let told = unmet(&*subject, &set, CONFLICT).await;
    let missed: Vec<_> = told.iter().map(listed).collect();
    assert_eq!(missed, [(1, Some(2)), (2, None)], "G2: 256 KiB in all");
}

/// An empty set, a set that is too large, and a stream that is in it twice are refused, and nothing
/// is stored.
pub async fn what_is_not_a_set_is_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let names = new_streams(MAX_COMMITS + 1);
    let one = || set_of(&names[..1], 0);
    let missing = new_streams(MAX_CHECKS + 1);
    let checks = missing
        .iter()
        .fold(one(), |set, name| set.check(name, Expect::Changeset(0)));
    let twice = AskSet::new([
        member(&names[0], 0),
        member(&names[1], 0),
        member(&names[0], 1),
    ]);
    for bad in [
        AskSet::default(),
        AskSet::default().check(&names[0], Expect::Changeset(0)),
        set_of(&names, 0),
        checks,
        twice,
        one().check(&names[0], Expect::Changeset(0)),
        one()
            .check(&names[1], Expect::Changeset(0))
            .check(&names[1], Expect::Event(0)),
    ] {
        refused_all(&*subject, &bad, "INVALID_BODY").await;
    }
    refused_all(&*subject, &one().key("ees-none"), "INVALID_IDEMPOTENCY_KEY").await;
    let bad = Ask::new("a\nb", Expect::Changeset(0));
    let bad = AskSet::new([member(&names[0], 0), bad]);
    refused_all(&*subject, &bad, "INVALID_STREAM_ID").await;
    let bad = AskSet::new([member(&names[0], 0), member(&names[1], 0).events("[]")]);
    refused_all(&*subject, &bad, "NO_EVENTS").await;
    assert_lengths(&*subject, &names, &[0; MAX_COMMITS + 1]).await;
}

/// What was acknowledged stands whole after a restart.
pub async fn sets_survive_a_restart(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let names = new_streams(5);
    for last in 0..4 {
        commit_all(&*subject, &set_of(&names, last)).await;
    }
    let mut before = Vec::new();
    for name in &names {
        before.push(unplaced(&stream(&*subject, name).await));
    }
    harness.restart().await;
    if !harness.capabilities().durable {
        return;
    }
    let subject = harness.subject();
    for (name, before) in names.iter().zip(&before) {
        let after = unplaced(&stream(&*subject, name).await);
        assert_eq!(after, *before, "G4: `{name}` after a restart");
    }
    commit_all(&*subject, &set_of(&names, 4)).await;
}
