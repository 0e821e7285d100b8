//! G10: a set of commits may be repeated.

use std::sync::Arc;

use super::sets::{assert_lengths, member, new_streams, set_of, streams};
use crate::Harness;
use crate::subject::{Ask, AskSet, Committed, Expect};
use crate::support::{
    CONFLICT, KEY_REUSED, commit, commit_all, events, refused, refused_all, together,
};

/// A set with a key that was committed to three new streams, and its answers.
async fn keyed(harness: &dyn Harness) -> (AskSet, Vec<Committed>) {
    let set = set_of(&new_streams(3), 0).key("the set");
    let first = commit_all(&*harness.subject(), &set).await;
    (set, first)
}

fn names(set: &AskSet) -> Vec<String> {
    set.commits.iter().map(|ask| ask.stream.clone()).collect()
}

/// Repeats a set: it is answered as the first time, and its streams keep their length.
async fn repeat(harness: &dyn Harness, set: &AskSet, first: &[Committed], length: usize) {
    let subject = harness.subject();
    let again = commit_all(&*subject, set).await;
    assert_eq!(again.len(), first.len(), "G10: an answer for each commit");
    for (mut again, first) in again.into_iter().zip(first) {
        assert!(again.replayed, "G10: the answer says that it is a repeat's");
        again.replayed = first.replayed;
        if !harness.capabilities().orders_at_commit {
            // By now it may have the position that it had not when it was committed.
            again.checkpoint = first.checkpoint;
        }
        assert_eq!(again, *first, "G10: the repeat gets the first answer");
    }
    assert_lengths(&*subject, &names(set), &vec![length; first.len()]).await;
}

/// The same commits with the same key are the same set, whatever is expected, and however far the
/// streams have moved.
pub async fn a_set_is_repeated_as_a_whole(harness: &mut dyn Harness) {
    let (mut set, first) = keyed(harness).await;
    repeat(harness, &set, &first, 1).await;
    let subject = harness.subject();
    for last in 1..5 {
        for name in names(&set) {
            commit(&*subject, &Ask::new(&name, Expect::Changeset(last))).await;
        }
    }
    repeat(harness, &set, &first, 5).await;
    harness.settle().await;
    let expectations = [
        Expect::Event(1),
        Expect::Changeset(5),
        Expect::Changeset(900),
    ];
    for (ask, expect) in set.commits.iter_mut().zip(expectations) {
        ask.expect = expect;
    }
    repeat(harness, &set, &first, 5).await;
    let missing = &new_streams(1)[0];
    let set = set.check(missing, Expect::Changeset(7));
    repeat(harness, &set, &first, 5).await;
}

/// The key belongs to that set: a part of it, another order, more commits, another content and a
/// single commit are refused.
pub async fn a_key_of_a_set_stands_for_that_set(harness: &mut dyn Harness) {
    let (set, first) = keyed(harness).await;
    let subject = harness.subject();
    let changed = |change: fn(&mut Vec<Ask>)| {
        let mut set = set.clone();
        change(&mut set.commits);
        set
    };
    let new = new_streams(1);
    let mut longer = set.clone();
    longer.commits.push(member(&new[0], 0));
    for bad in [
        changed(|commits| commits.truncate(2)),
        changed(|commits| drop(commits.drain(..2))),
        changed(|commits| commits.reverse()),
        changed(|commits| commits[1].events = events("decided otherwise", 1)),
        changed(|commits| commits[2].metadata = Some("1".to_owned())),
        longer,
    ] {
        let failure = refused_all(&*subject, &bad, KEY_REUSED).await;
        let found = failure
            .has_the_key
            .expect("G10: the answer has the changeset");
        assert_eq!(found.changeset_id, 1, "G10: the changeset that has the key");
    }
    for alone in &set.commits {
        refused(&*subject, &alone.clone().key("the set"), KEY_REUSED).await;
    }
    assert_lengths(&*subject, &new, &[0]).await;
    repeat(harness, &set, &first, 1).await;
}

/// A key that stands in one of the streams for a single commit refuses a set, even with the same
/// content, and the other streams stay as they are.
pub async fn a_key_in_one_stream_refuses_the_set(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for at in 0..3 {
        let names = new_streams(3);
        commit(&*subject, &member(&names[at], 0).key("taken")).await;
        let set = set_of(&names, 0).key("taken");
        refused_all(&*subject, &set, KEY_REUSED).await;
        let mut lengths = [0; 3];
        lengths[at] = 1;
        assert_lengths(&*subject, &names, &lengths).await;
    }
}

/// Of the same set at once, many times, one is stored, and all get the same answer.
pub async fn repeats_of_a_set_at_once_are_one(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for round in 0..6 {
        let names = new_streams(4);
        let set = set_of(&names, 0).key(format!("round {round}"));
        let tries = (0..10).map(|_| {
            let (subject, set) = (Arc::clone(&subject), set.clone());
            async move { commit_all(&*subject, &set).await }
        });
        let answers = together(tries.collect::<Vec<_>>()).await;
        let is_first = |told: &&Vec<Committed>| told.iter().all(|one| !one.replayed);
        let firsts = answers.iter().filter(is_first).count();
        assert_eq!(firsts, 1, "G10: one of them is the first");
        for told in &answers {
            let ids: Vec<_> = told
                .iter()
                .map(|one| (&one.stream, one.changeset_id))
                .collect();
            let expected: Vec<_> = names.iter().map(|name| (name, 1)).collect();
            assert_eq!(ids, expected, "G10: all get the answer of the first");
        }
        assert_lengths(&*subject, &names, &[1; 4]).await;
    }
}

/// A set that was refused has not used its key: with what is true it is stored.
pub async fn a_refused_set_leaves_its_key(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let names = streams(&*subject, &[1, 2, 3]).await;
    let wrong = AskSet::new([member(&names[0], 1), member(&names[1], 0)]).key("kept");
    let wrong = wrong.check(&names[2], Expect::Changeset(3));
    refused_all(&*subject, &wrong, CONFLICT).await;
    let mut right = wrong;
    right.commits[1].expect = Expect::Changeset(2);
    right.checks[0].1 = Expect::Changeset(1);
    refused_all(&*subject, &right, CONFLICT).await;
    right.checks[0].1 = Expect::Event(3);
    commit_all(&*subject, &right).await;
    assert_lengths(&*subject, &names, &[2, 3, 3]).await;
}

/// A repeat is recognised after a restart.
pub async fn a_set_is_repeated_after_a_restart(harness: &mut dyn Harness) {
    let (mut set, first) = keyed(harness).await;
    harness.settle().await;
    harness.restart().await;
    if harness.capabilities().durable {
        repeat(harness, &set, &first, 1).await;
        set.commits.truncate(1);
        refused_all(&*harness.subject(), &set, KEY_REUSED).await;
    }
}
