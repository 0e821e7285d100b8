//! G5, G8: readers that wait on one stream.

use std::time::{Duration, Instant};

use futures_util::future::join;

use crate::Harness;
use crate::subject::{Ask, Expect, Read, Subject, unique};
use crate::support::{LONG, commit, fill};

/// How long a reader that gets nothing waits.
const SHORT: Duration = Duration::from_secs(1);

/// Time for a reader to begin to wait. Nothing depends on it: one that comes late finds what it would
/// have waited for.
const HEAD_START: Duration = Duration::from_millis(100);

fn from(id: u64, wait: Duration) -> Read {
    Read {
        from: Some(id),
        wait,
        ..Read::default()
    }
}

/// Commits a changeset to a stream after readers have begun to wait.
async fn commit_later(subject: &dyn Subject, stream: &str, last: u64) {
    tokio::time::sleep(HEAD_START).await;
    commit(subject, &Ask::new(stream, Expect::Changeset(last))).await;
}

/// The ids of the changesets and of the events for which readers wait while one is committed.
async fn awaited(subject: &dyn Subject, stream: &str, last: u64) -> (Vec<u64>, Vec<u64>) {
    let read = from(last + 1, LONG);
    let changesets = subject.changesets(stream, &read);
    let events = subject.events(stream, &read);
    let reads = join(changesets, events);
    let ((changesets, events), ()) = join(reads, commit_later(subject, stream, last)).await;
    let changesets = changesets.expect("G8: a changeset that was waited for");
    let events = events.expect("G8: an event that was waited for");
    let changesets = changesets.items.iter().map(|found| found.changeset_id);
    let events = events.items.iter().map(|found| found.id);
    (changesets.collect(), events.collect())
}

/// Who waits on a stream gets its next changeset, and not those of other streams.
pub async fn a_reader_of_a_stream_gets_what_is_committed(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let stream = unique("stream-waiting");
    fill(&*subject, &stream, &[1]).await;
    let others = unique("stream-waiting-other");
    let (found, _) = join(
        awaited(&*subject, &stream, 1),
        fill(&*subject, &others, &[1, 1, 1]),
    )
    .await;
    assert_eq!(found, (vec![2], vec![2]), "G8: the next one");
    let read = from(1, LONG);
    let page = subject
        .changesets(&stream, &read)
        .await
        .expect("G5: a page");
    assert_eq!(page.items.len(), 2, "G5: what is there is not waited for");
}

/// A stream that does not exist may be waited for.
pub async fn a_reader_waits_for_a_stream_that_is_not_there(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let stream = unique("stream-waiting-new");
    let found = awaited(&*subject, &stream, 0).await;
    assert_eq!(found, (vec![1], vec![1]), "G8: the first one");
}

/// Who waits for nothing gets nothing in the end: an empty page, or that there is no stream.
pub async fn a_reader_of_a_stream_waits_no_longer_than_asked(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let stream = unique("stream-waiting");
    fill(&*subject, &stream, &[1]).await;
    let begun = Instant::now();
    let page = subject.changesets(&stream, &from(2, SHORT)).await;
    let page = page.expect("G5: an empty page");
    assert!(page.items.is_empty() && page.next.is_none(), "G5: {page:?}");
    assert!(begun.elapsed() >= SHORT, "G8: it waits");
    let missing = unique("stream-waiting-missing");
    let page = subject.events(&missing, &from(1, SHORT)).await;
    let failure = page.expect_err("G12: there is no stream");
    assert_eq!(failure.code, "STREAM_NOT_FOUND", "G12: {}", failure.message);
}
