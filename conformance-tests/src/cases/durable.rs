//! G4: acknowledged commits survive a restart. If that is not promised, they are gone.

use std::sync::Arc;

use crate::Harness;
use crate::subject::{Ask, Changeset, Event, Expect, Head, Subject, unique};
use crate::support::{
    NOT_FOUND, commit, end_of_log, events, fill, head, log, of_streams, stream, stream_events,
    together, unplaced,
};

const SIZES: [u64; 4] = [3, 1, 20, 2];

/// All that a stream's readers can see.
type Seen = (Head, Vec<Changeset>, Vec<Event>);

async fn see(subject: &dyn Subject, name: &str) -> Seen {
    (
        head(subject, name).await,
        unplaced(&stream(subject, name).await),
        stream_events(subject, name).await,
    )
}

/// A store that promises no durability must not keep some of it by chance.
async fn assert_gone(subject: &dyn Subject, name: &str) {
    let found = subject.head(name).await;
    let code = found.expect_err("G4: declared not durable").code;
    assert_eq!(code, NOT_FOUND, "G4: declared not durable");
}

/// Streams are read after a restart as they were before: ids, payloads, times.
pub async fn streams_survive_a_restart(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("kept");
    fill(&*subject, &name, &SIZES).await;
    let before = see(&*subject, &name).await;
    drop(subject);
    harness.restart().await;
    let subject = harness.subject();
    if !harness.capabilities().durable {
        return assert_gone(&*subject, &name).await;
    }
    assert_eq!(
        see(&*subject, &name).await,
        before,
        "G4: the stream is unchanged after the restart"
    );
}

/// So is the global order, whatever was read of it before.
pub async fn the_global_order_survives_a_restart(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let names: Vec<String> = (0..5).map(|_| unique("order")).collect();
    for name in &names {
        fill(&*subject, name, &SIZES).await;
    }
    harness.settle().await;
    let before = of_streams(&log(&*subject, start, 1000).await, &names);
    assert_eq!(before.len(), names.len() * SIZES.len(), "G6: all of it");
    drop(subject);
    harness.restart().await;
    let subject = harness.subject();
    if !harness.capabilities().durable {
        return assert_gone(&*subject, &names[0]).await;
    }
    let after = of_streams(&log(&*subject, start, 7).await, &names);
    assert_eq!(
        after, before,
        "G4: the positions are unchanged after the restart"
    );
}

/// Commits go on where they ended, in their streams and in the global order.
pub async fn commits_go_on_after_a_restart(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("onward"));
    fill(&*subject, &name, &[2, 2]).await;
    drop(subject);
    harness.restart().await;
    let subject = harness.subject();
    let kept = if harness.capabilities().durable { 2 } else { 0 };
    let ask = Ask::new(&name, Expect::Event(kept * 2));
    let committed = commit(&*subject, &ask).await;
    assert_eq!(committed.changeset_id, kept + 1, "G4: the next id");
    assert_eq!(committed.first_event_id, kept * 2 + 1, "G4: the next event");
    harness.settle().await;
    if harness.capabilities().durable {
        let log = of_streams(&log(&*subject, start, 1000).await, &[name]);
        let ids: Vec<u64> = log.iter().map(|c| c.changeset_id).collect();
        assert_eq!(ids, [1, 2, 3], "G4: one order before and after");
    }
}

/// A commit whose answer a restart swallowed can be repeated.
pub async fn idempotency_keys_survive_a_restart(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("key");
    let ask = Ask::new(&name, Expect::Changeset(0)).key("the key");
    let first = commit(&*subject, &ask).await;
    commit(&*subject, &Ask::new(&name, Expect::Changeset(1))).await;
    drop(subject);
    harness.restart().await;
    let subject = harness.subject();
    let again = commit(&*subject, &ask).await;
    assert_eq!(
        again.changeset_id, 1,
        "G10: the repeat gets the first changeset"
    );
    let (kept, same_time) = (
        stream(&*subject, &name).await.len(),
        again.timestamp == first.timestamp,
    );
    if harness.capabilities().durable {
        assert_eq!((kept, same_time), (2, true), "G10: nothing new was stored");
    } else {
        assert_eq!((kept, same_time), (1, false), "G4: declared not durable");
    }
}

/// Restart after restart, what many writers at once were acknowledged stays.
pub async fn what_many_writers_wrote_survives(harness: &mut dyn Harness) {
    const WRITERS: u64 = 12;
    let names: Vec<String> = (0..WRITERS).map(|_| unique("crowd")).collect();
    for round in 0..3 {
        let subject = harness.subject();
        let last = if harness.capabilities().durable {
            round
        } else {
            0
        };
        let writers = names.iter().map(|name| {
            let ask = Ask::new(name, Expect::Changeset(last));
            let ask = ask.events(events(name, 1 + round));
            let subject = Arc::clone(&subject);
            async move { commit(&*subject, &ask).await }
        });
        let acknowledged = together(writers.collect::<Vec<_>>()).await;
        drop(subject);
        harness.restart().await;
        let subject = harness.subject();
        for committed in acknowledged {
            if !harness.capabilities().durable {
                assert_gone(&*subject, &committed.stream).await;
                continue;
            }
            let end = head(&*subject, &committed.stream).await;
            assert_eq!(
                end.last_changeset,
                round + 1,
                "G4: the acknowledged changeset is the head"
            );
            assert_eq!(end.last_event, committed.last_event_id, "G4: its events");
            assert_eq!(end.last_timestamp, committed.timestamp, "G4: its time");
        }
    }
}
