//! G2: optimistic concurrency.

use std::sync::Arc;

use crate::Harness;
use crate::history::{History, check_stream};
use crate::subject::{Ask, Committed, Expect, Failure, Subject, unique};
use crate::support::{
    AHEAD, CONFLICT, MAX_ID, commit, conflict, events, fill, refused, stream, together, unplaced,
};

const WRITERS: usize = 16;

/// Of many commits with one expectation exactly one succeeds; the others' conflicts list it.
pub async fn one_of_racing_commits_succeeds(harness: &mut dyn Harness) {
    race(harness.subject(), &[2, 1], |_| Expect::Changeset(2)).await;
    race(harness.subject(), &[], |_| Expect::Changeset(0)).await;
}

/// The same where the expectation is by event.
pub async fn one_of_racing_commits_by_event_succeeds(harness: &mut dyn Harness) {
    race(harness.subject(), &[2, 1], |_| Expect::Event(3)).await;
    race(harness.subject(), &[], |_| Expect::Event(0)).await;
}

/// The same where some expect by event and some by changeset.
pub async fn one_of_racing_commits_of_both_kinds_succeeds(harness: &mut dyn Harness) {
    let expect = |writer| match writer % 2 {
        0 => Expect::Changeset(2),
        _ => Expect::Event(5),
    };
    race(harness.subject(), &[1, 4], expect).await;
}

/// Lets writers race for the end of a stream with changesets of these sizes.
async fn race(subject: Arc<dyn Subject>, sizes: &[u64], expect: fn(usize) -> Expect) {
    let name = unique("race");
    fill(&*subject, &name, sizes).await;
    let tries = (0..WRITERS).map(|writer| {
        let subject = Arc::clone(&subject);
        let ask = Ask::new(&name, expect(writer));
        let ask = ask.events(events(&writer.to_string(), 1 + writer as u64 % 3));
        async move { subject.commit(&ask).await }
    });
    let results = together(tries).await;
    let winners: Vec<_> = results.iter().filter_map(|r| r.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1, "G2: one winner, but {winners:?}");
    let stands = stream(&*subject, &name).await;
    assert_eq!(stands.len(), sizes.len() + 1, "G2: one changeset was added");
    let won = unplaced(&stands[sizes.len()..]);
    for failure in results.iter().filter_map(|r| r.as_ref().err()) {
        assert_eq!(failure.code, CONFLICT, "G2: the code");
        let told = failure
            .forthcoming
            .as_ref()
            .expect("G2: the conflict lists changesets");
        assert_eq!(
            unplaced(&told.items),
            won,
            "G2: the conflict lists the stored changeset"
        );
        assert_eq!(told.next, None, "G2: the list has no further page");
    }
}

/// Many writers on many streams, each again until it succeeds: nothing is lost, doubled or
/// overwritten, and nobody is told of what did not last.
pub async fn writers_that_retry_all_succeed(harness: &mut dyn Harness) {
    contend(harness.subject(), |(changeset, _)| {
        Expect::Changeset(changeset)
    })
    .await;
}

/// The same where the expectation is by event.
pub async fn writers_that_retry_by_event_all_succeed(harness: &mut dyn Harness) {
    contend(harness.subject(), |(_, event)| Expect::Event(event)).await;
}

async fn contend(subject: Arc<dyn Subject>, expect: fn((u64, u64)) -> Expect) {
    const STREAMS: usize = 4;
    const WRITERS: u64 = 5;
    const COMMITS: u64 = 6;
    let names: Vec<String> = (0..STREAMS).map(|_| unique("contended")).collect();
    let history = Arc::new(History::default());
    let writers = names.iter().flat_map(|name| {
        (0..WRITERS).map(|writer| {
            let (subject, history) = (Arc::clone(&subject), Arc::clone(&history));
            let name = name.clone();
            async move {
                let mut end = (0, 0);
                for number in 0..COMMITS {
                    let what = events(&format!("{writer}.{number}"), 1 + (writer + number) % 3);
                    end = insist(&*subject, &history, &name, &what, end, expect).await;
                }
            }
        })
    });
    together(writers.collect::<Vec<_>>()).await;
    let operations = history.operations();
    for name in &names {
        let stands = stream(&*subject, name).await;
        assert_eq!(
            stands.len() as u64,
            WRITERS * COMMITS,
            "G2: all commits are stored"
        );
        check_stream(&operations, name, &stands).unwrap_or_else(|violation| panic!("{violation}"));
    }
}

/// Commits until it succeeds, and returns the stream's end then.
async fn insist(
    subject: &dyn Subject,
    history: &History,
    name: &str,
    what: &str,
    mut end: (u64, u64),
    expect: fn((u64, u64)) -> Expect,
) -> (u64, u64) {
    loop {
        let ask = Ask::new(name, expect(end)).events(what);
        end = match history.commit(subject, ask).await {
            Ok(committed) => return (committed.changeset_id, committed.last_event_id),
            Err(failure) => end_told(failure),
        };
    }
}

fn end_told(failure: Failure) -> (u64, u64) {
    let told = failure.forthcoming.map(|page| page.items);
    let told = told.unwrap_or_else(|| panic!("G2: a conflict, not {}", failure.code));
    let last = told
        .last()
        .expect("G2: a conflict lists at least one changeset");
    (last.changeset_id, last.last_event_id)
}

/// Writers of different streams never get into each other's way.
pub async fn streams_do_not_disturb_each_other(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let writers = (0..32).map(|_| {
        let subject = Arc::clone(&subject);
        async move { fill(&*subject, &unique("apart"), &[1, 2, 1, 3]).await }
    });
    let ends: Vec<_> = together(writers).await;
    for committed in ends {
        let ids: Vec<u64> = committed.iter().map(|c| c.changeset_id).collect();
        assert_eq!(ids, [1, 2, 3, 4], "G2: each stream has ids of its own");
    }
}

/// A commit that expects a new stream gets a conflict with the whole stream if it exists.
pub async fn a_new_stream_must_not_exist(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("exists");
    fill(&*subject, &name, &[1, 2, 3]).await;
    let stands = unplaced(&stream(&*subject, &name).await);
    for expect in [Expect::Changeset(0), Expect::Event(0)] {
        let told = conflict(&*subject, &Ask::new(&name, expect)).await;
        assert_eq!(
            unplaced(&told.items),
            stands,
            "G2: the whole list for {expect:?}"
        );
        assert_eq!(told.next, None, "G2: the whole list for {expect:?}");
    }
}

/// An expectation may name an event inside a changeset: it is outdated, and what is told begins
/// with the changeset that holds the next event.
pub async fn an_expectation_inside_a_changeset_is_outdated(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("inside");
    fill(&*subject, &name, &[3, 3, 2]).await;
    let stands = unplaced(&stream(&*subject, &name).await);
    for (last_event, first_told) in [
        (0, 1),
        (1, 1),
        (2, 1),
        (3, 2),
        (4, 2),
        (5, 2),
        (6, 3),
        (7, 3),
    ] {
        let ask = Ask::new(&name, Expect::Event(last_event));
        let told = conflict(&*subject, &ask).await;
        let expected = &stands[first_told - 1..];
        assert_eq!(unplaced(&told.items), expected, "G2: after {last_event}");
    }
    commit(&*subject, &Ask::new(&name, Expect::Event(8))).await;
}

/// The same expectation by changeset and by event gets the same answer.
pub async fn both_kinds_of_expectation_agree(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("kinds");
    let committed = fill(&*subject, &name, &[2, 1, 4, 1]).await;
    let places = committed.iter().map(|c| (c.changeset_id, c.last_event_id));
    for (changeset, event) in std::iter::once((0, 0)).chain(places).take(4) {
        let by_changeset = Ask::new(&name, Expect::Changeset(changeset));
        let by_event = Ask::new(&name, Expect::Event(event));
        let told = conflict(&*subject, &by_changeset).await;
        let told_by_event = conflict(&*subject, &by_event).await;
        assert_eq!(
            unplaced(&told.items),
            unplaced(&told_by_event.items),
            "G2: after {changeset}"
        );
    }
    let next: Committed = commit(&*subject, &Ask::new(&name, Expect::Event(8))).await;
    assert_eq!(next.changeset_id, 5, "G2: the end by event");
}

/// What lies beyond a stream's end cannot be expected, nor the end of a stream that is missing.
pub async fn an_expectation_ahead_is_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("ahead");
    fill(&*subject, &name, &[2, 2]).await;
    for last in [3, 4, 100, MAX_ID] {
        refused(&*subject, &Ask::new(&name, Expect::Changeset(last)), AHEAD).await;
    }
    for last in [5, 6, 100, MAX_ID] {
        refused(&*subject, &Ask::new(&name, Expect::Event(last)), AHEAD).await;
    }
    let missing = unique("missing");
    for expect in [
        Expect::Changeset(1),
        Expect::Event(1),
        Expect::Changeset(MAX_ID),
        Expect::Event(MAX_ID),
    ] {
        refused(&*subject, &Ask::new(&missing, expect), AHEAD).await;
    }
    fill(&*subject, &missing, &[1]).await;
}
