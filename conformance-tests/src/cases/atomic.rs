//! G1: a changeset is stored whole or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Harness;
use crate::subject::{Ask, Expect, Subject, unique};
use crate::support::{
    AHEAD, CONFLICT, commit, end_of_log, events, fill, head, log, of_streams, refused, split,
    stream, stream_events, together,
};

const EVENTS: u64 = 50;
const CHANGESETS: u64 = 30;

/// Every event of a changeset can be read, by every way there is.
pub async fn a_changeset_is_stored_whole(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("whole"));
    let asked = events("whole", 100);
    let ask = Ask::new(&name, Expect::Changeset(0)).events(&asked);
    commit(&*subject, &ask).await;
    harness.settle().await;
    let found = stream(&*subject, &name).await;
    assert_eq!(found.len(), 1, "G1: one changeset");
    assert_eq!(found[0].events, asked, "G1: all its events");
    let single: Vec<String> = stream_events(&*subject, &name)
        .await
        .into_iter()
        .map(|event| event.data)
        .collect();
    assert_eq!(single, split(&asked), "G1: every single event");
    let found = of_streams(&log(&*subject, start, 100).await, &[name]);
    assert_eq!(found.len(), 1, "G1: one changeset in the global order");
    assert_eq!(found[0].events, asked, "G1: all its events");
}

/// While big changesets are written, no reader sees a part of one.
pub async fn a_reader_never_sees_part_of_a_changeset(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("torn"));
    fill(&*subject, &name, &[EVENTS]).await;
    let done = Arc::new(AtomicBool::new(false));
    let readers = (0..4).map(|kind| {
        let (subject, name, done) = (Arc::clone(&subject), name.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            // At least once, and once more after the last commit.
            let mut all_written = false;
            while !all_written {
                all_written = done.load(Ordering::SeqCst);
                look(&*subject, &name, kind, start).await;
                tokio::task::yield_now().await;
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for last in 1..CHANGESETS {
        let ask = Ask::new(&name, Expect::Changeset(last));
        commit(&*subject, &ask.events(events("torn", EVENTS))).await;
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.expect("G1: every reader saw whole changesets");
    }
}

/// Reads in one way and sees whole changesets.
async fn look(subject: &dyn Subject, name: &str, kind: u8, start: u64) {
    match kind {
        0 => {
            let seen = stream_events(subject, name).await.len() as u64;
            assert_eq!(seen % EVENTS, 0, "G1: {seen} events");
        }
        1 => {
            let seen = head(subject, name).await;
            assert_eq!(
                seen.last_event,
                seen.last_changeset * EVENTS,
                "G1: {seen:?}"
            );
        }
        2 => assert_whole(&stream(subject, name).await),
        _ => assert_whole(&of_streams(
            &log(subject, start, 1000).await,
            &[name.to_owned()],
        )),
    }
}

fn assert_whole(changesets: &[crate::subject::Changeset]) {
    for changeset in changesets {
        let seen = split(&changeset.events).len() as u64;
        assert_eq!(seen, EVENTS, "G1: part of {}", changeset.changeset_id);
    }
}

/// Of commits that race, the events of one are stored, not a mixture.
pub async fn racing_commits_do_not_mix(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("mix");
    let asks = (0..8).map(|writer| {
        let ask = Ask::new(&name, Expect::Changeset(0));
        ask.events(events(&format!("writer {writer}"), 200))
    });
    let asks: Vec<Ask> = asks.collect();
    let tries = asks.clone().into_iter().map(|ask| {
        let subject = Arc::clone(&subject);
        async move { subject.commit(&ask).await.is_ok() }
    });
    let won = together(tries).await;
    let winner = won.iter().position(|won| *won).expect("G2: one winner");
    let found = stream_events(&*subject, &name).await;
    let found: Vec<String> = found.into_iter().map(|event| event.data).collect();
    assert_eq!(
        found,
        split(&asks[winner].events),
        "G1: the winner's events"
    );
}

/// A commit that is refused leaves nothing behind, anywhere.
pub async fn a_refused_commit_changes_nothing(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("refused"));
    fill(&*subject, &name, &[2, 3]).await;
    let before = (head(&*subject, &name).await, stream(&*subject, &name).await);
    for (expect, code) in [
        (Expect::Changeset(0), CONFLICT),
        (Expect::Changeset(1), CONFLICT),
        (Expect::Event(4), CONFLICT),
        (Expect::Changeset(3), AHEAD),
        (Expect::Event(6), AHEAD),
    ] {
        let ask = Ask::new(&name, expect).events(events("refused", 40));
        refused(&*subject, &ask, code).await;
        let after = (head(&*subject, &name).await, stream(&*subject, &name).await);
        assert_eq!(after.0, before.0, "G1: the head after {code}");
        assert_eq!(after.1.len(), before.1.len(), "G1: the stream after {code}");
    }
    harness.settle().await;
    let placed = of_streams(&log(&*subject, start, 1000).await, &[name]);
    assert_eq!(placed.len(), 2, "G1: nothing refused in the global order");
}
