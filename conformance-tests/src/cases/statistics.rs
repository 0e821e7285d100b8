//! G13: statistics equal the exact counts as of their version.

use std::sync::Arc;

use crate::Harness;
use crate::subject::{Ask, Expect, Statistics, Subject, unique};
use crate::support::{
    AHEAD, GLOBAL_LIMIT, commit, conflict, end_of_log, fill, log, refused, together,
};

/// The statistics of all that is there.
async fn now(harness: &dyn Harness) -> Statistics {
    harness.settle().await;
    let subject = harness.subject();
    let end = end_of_log(&*subject).await;
    let found = subject.statistics_at(end).await.expect("G13: counts");
    assert!(
        found.version >= end,
        "G13: the version is at least the requested one"
    );
    found
}

/// Counts the changesets of the global order between two versions, of all writers.
async fn assert_counted(subject: &dyn Subject, before: Statistics, after: Statistics) {
    let log = log(subject, before.version, GLOBAL_LIMIT).await;
    let between = log
        .iter()
        .take_while(|c| c.checkpoint < Some(after.version));
    let expected = between.fold(before, |sum, changeset| Statistics {
        total_streams: sum.total_streams + u64::from(changeset.changeset_id == 1),
        total_changesets: sum.total_changesets + 1,
        total_events: sum.total_events + changeset.last_event_id + 1 - changeset.first_event_id,
        max_stream_length: sum.max_stream_length.max(changeset.changeset_id),
        version: sum.version + 1,
    });
    assert_eq!(after, expected, "G13: the exact counts");
}

/// What many writers commit to many streams is counted exactly.
pub async fn counts_are_exact(harness: &mut dyn Harness) {
    let before = now(harness).await;
    let subject = harness.subject();
    let writers = (1..=12_u64).map(|length| {
        let subject = Arc::clone(&subject);
        async move {
            let sizes: Vec<u64> = (1..=length).map(|n| n % 4 + 1).collect();
            fill(&*subject, &unique("counted"), &sizes).await;
        }
    });
    together(writers).await;
    let after = now(harness).await;
    assert_counted(&*subject, before, after).await;
    assert!(
        after.total_streams >= before.total_streams + 12,
        "G13: streams"
    );
    assert!(
        after.total_changesets >= before.total_changesets + 78,
        "G13: changesets"
    );
    assert!(after.max_stream_length >= 12, "G13: the longest stream");
}

/// Step by step as well; few steps, as a deployment may count only once a minute.
pub async fn counts_go_up_commit_by_commit(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (name, mut before) = (unique("steps"), now(harness).await);
    for last in 0..2 {
        let ask = Ask::new(&name, Expect::Changeset(last)).events("[1,2,3]");
        commit(&*subject, &ask).await;
        let after = now(harness).await;
        assert_counted(&*subject, before, after).await;
        assert!(after.max_stream_length > last, "G13: the longest stream");
        before = after;
    }
    let again = now(harness).await;
    assert_counted(&*subject, before, again).await;
}

/// Many pages of the order are counted as one.
pub async fn counts_span_pages(harness: &mut dyn Harness) {
    let before = now(harness).await;
    let subject = harness.subject();
    let writers = (0..42).map(|_| {
        let subject = Arc::clone(&subject);
        async move { fill(&*subject, &unique("many"), &[1; 25]).await }
    });
    together(writers).await;
    let after = now(harness).await;
    assert_counted(&*subject, before, after).await;
}

/// What was refused or repeated does not count.
pub async fn only_what_stands_counts(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let before = now(harness).await;
    let name = unique("stands");
    let ask = Ask::new(&name, Expect::Changeset(0)).key("once");
    for _ in 0..3 {
        commit(&*subject, &ask).await;
        conflict(&*subject, &Ask::new(&name, Expect::Event(0))).await;
        refused(&*subject, &Ask::new(&name, Expect::Event(7)), AHEAD).await;
        let missing = Ask::new(&unique("missing"), Expect::Changeset(1));
        refused(&*subject, &missing, AHEAD).await;
    }
    let after = now(harness).await;
    assert_counted(&*subject, before, after).await;
    assert!(
        after.version > before.version,
        "G13: the stored commit is counted"
    );
}

/// After a restart, counting continues from the saved version.
pub async fn counts_survive_a_restart(harness: &mut dyn Harness) {
    fill(&*harness.subject(), &unique("before"), &[1, 2, 3]).await;
    let before = now(harness).await;
    harness.restart().await;
    if !harness.capabilities().durable {
        let after = now(harness).await;
        assert_eq!(after.total_changesets, 0, "G4: declared not durable");
        return;
    }
    let after = now(harness).await;
    assert_counted(&*harness.subject(), before, after).await;
    fill(&*harness.subject(), &unique("after"), &[1, 2]).await;
    let further = now(harness).await;
    assert_counted(&*harness.subject(), after, further).await;
}
