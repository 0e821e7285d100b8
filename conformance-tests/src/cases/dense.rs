//! G3: a stream's ids have no hole and no repeat.

use crate::Harness;
use crate::subject::{Ask, Committed, Expect, Subject, unique};
use crate::support::{AHEAD, CONFLICT, commit, fill, head, refused, split, stream, stream_events};

const SIZES: [u64; 9] = [1, 2, 1, 3, 10, 1, 100, 1000, 1];

/// Every commit gets the next changeset id and the next event ids.
pub async fn commits_get_the_next_ids(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let committed = fill(&*subject, &unique("next"), &SIZES).await;
    let mut last_event = 0;
    for (id, (size, committed)) in (1..).zip(SIZES.iter().zip(&committed)) {
        assert_eq!(committed.changeset_id, id, "G3: the next changeset id");
        assert_eq!(committed.first_event_id, last_event + 1, "G3: of {id}");
        last_event += size;
        assert_eq!(committed.last_event_id, last_event, "G3: of {id}");
    }
}

/// Every read returns the ids from the answers to the commits, and as many events as they span.
pub async fn reads_tell_the_same_ids(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("same");
    let committed = fill(&*subject, &name, &SIZES).await;
    let found = stream(&*subject, &name).await;
    let told = |c: &Committed| (c.changeset_id, c.first_event_id, c.last_event_id);
    let read: Vec<_> = found
        .iter()
        .map(|c| (c.changeset_id, c.first_event_id, c.last_event_id))
        .collect();
    assert_eq!(read, committed.iter().map(told).collect::<Vec<_>>(), "G3");
    for changeset in &found {
        let span = changeset.last_event_id - changeset.first_event_id + 1;
        assert_eq!(
            split(&changeset.events).len() as u64,
            span,
            "G3: its events"
        );
    }
    let end = head(&*subject, &name).await;
    let total = SIZES.iter().sum();
    assert_eq!((end.last_changeset, end.last_event), (9, total), "G3: head");
    let ids: Vec<u64> = stream_events(&*subject, &name)
        .await
        .iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(ids, (1..=total).collect::<Vec<_>>(), "G3: event ids");
}

/// Commits that are refused use up no ids.
pub async fn refused_commits_take_no_ids(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("unused");
    for last in 0..5 {
        if last > 0 {
            refuse(&*subject, &name, Expect::Changeset(last - 1), CONFLICT).await;
        }
        refuse(&*subject, &name, Expect::Event(last * 2 + 1), AHEAD).await;
        let ask = Ask::new(&name, Expect::Changeset(last)).events("[1,2]");
        let committed = commit(&*subject, &ask).await;
        assert_eq!(
            committed.changeset_id,
            last + 1,
            "G3: a refused commit uses up no changeset id"
        );
        assert_eq!(
            committed.last_event_id,
            last * 2 + 2,
            "G3: a refused commit uses up no event id"
        );
    }
}

async fn refuse(subject: &dyn Subject, name: &str, expect: Expect, code: &str) {
    let ask = Ask::new(name, expect).events("[1,2,3,4]");
    refused(subject, &ask, code).await;
}
