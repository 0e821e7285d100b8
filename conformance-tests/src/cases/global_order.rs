//! G6, G7: the global order of all changesets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::Harness;
use crate::history::check_reader;
use crate::subject::{Changeset, GlobalEvent, GlobalRead, Subject, unique};
use crate::support::{
    GLOBAL_LIMIT, assert_fits, end_of_log, event_log, event_log_past, fill, fill_large, flat,
    joined, log, log_page, of_streams, stream, together, unplaced,
};

const SIZES: [u64; 5] = [3, 1, 2, 5, 1];

/// Writes streams at the same time, and returns where the order ended before, and their names.
async fn written(harness: &dyn Harness, streams: usize) -> (u64, Vec<String>) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let names = write_at_once(&subject, streams).await;
    harness.settle().await;
    (start, names)
}

async fn write_at_once(subject: &Arc<dyn Subject>, streams: usize) -> Vec<String> {
    let writers = (0..streams).map(|_| {
        let subject = Arc::clone(subject);
        async move {
            let name = unique("global");
            fill(&*subject, &name, &SIZES).await;
            name
        }
    });
    together(writers).await
}

/// The streams' changesets in the global order, all of them.
async fn placed(subject: &dyn Subject, start: u64, names: &[String]) -> Vec<Changeset> {
    let order = of_streams(&log(subject, start, GLOBAL_LIMIT).await, names);
    let count = names.len() * SIZES.len();
    assert_eq!(order.len(), count, "G6: each changeset once");
    order
}

/// Every changeset has exactly one position, and positions have no hole.
pub async fn checkpoints_are_dense(harness: &mut dyn Harness) {
    let (start, names) = written(harness, 8).await;
    let subject = harness.subject();
    // That each page is dense is asserted wherever one is read.
    let found = placed(&*subject, start, &names).await;
    let end = end_of_log(&*subject).await;
    let last = found.last().and_then(|c| c.checkpoint).expect("G6: some");
    assert!(last < end, "G6: position {last} is below the head, {end}");
}

/// The order holds the very changesets of the streams, each stream's in its own order.
pub async fn streams_keep_their_order(harness: &mut dyn Harness) {
    let (start, names) = written(harness, 8).await;
    let subject = harness.subject();
    let order = placed(&*subject, start, &names).await;
    for name in names {
        let stands = stream(&*subject, &name).await;
        let found = of_streams(&order, &[name]);
        assert_eq!(unplaced(&found), unplaced(&stands), "G7: as in the stream");
    }
}

/// A position answers the same changeset for ever: again, with other limits, after more commits.
pub async fn a_checkpoint_always_answers_the_same(harness: &mut dyn Harness) {
    let (start, names) = written(harness, 4).await;
    let subject = harness.subject();
    let first = placed(&*subject, start, &names).await;
    write_at_once(&subject, 3).await;
    harness.settle().await;
    for changeset in &first {
        let position = changeset.checkpoint.expect("G6: a position");
        for limit in [1, 3] {
            let read = GlobalRead::from(position).limit(limit);
            let found = log_page(&*subject, read).await;
            assert_eq!(found.first(), Some(changeset), "G6: at {position}");
        }
    }
}

/// Pages of every size give one order.
pub async fn every_limit_gives_the_same_order(harness: &mut dyn Harness) {
    let (start, names) = written(harness, 4).await;
    let subject = harness.subject();
    let whole = placed(&*subject, start, &names).await;
    for limit in (1..=12).chain([19, 20, 21, 999]) {
        let found = of_streams(&log(&*subject, start, limit).await, &names);
        assert_eq!(found, whole, "G6: in pages of {limit}");
    }
    let unlimited = log_page(&*subject, GlobalRead::from(start)).await;
    assert_eq!(unlimited.len(), 10, "G6: the default limit is ten");
}

/// Readers who follow the order while it is written miss nothing and see nothing twice.
pub async fn readers_miss_nothing_and_repeat_nothing(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = [1, 7, GLOBAL_LIMIT]
        .map(|limit| {
            let (subject, done) = (Arc::clone(&subject), Arc::clone(&done));
            tokio::spawn(async move { follow(&*subject, start, limit, &done).await })
        })
        .into();
    let event_readers: Vec<_> = [1, 5, GLOBAL_LIMIT]
        .map(|limit| {
            let (subject, done) = (Arc::clone(&subject), Arc::clone(&done));
            tokio::spawn(async move { follow_events(&*subject, start, limit, &done).await })
        })
        .into();
    let names = write_at_once(&subject, 24).await;
    harness.settle().await;
    done.store(true, Ordering::SeqCst);
    let order = placed(&*subject, start, &names).await;
    for reader in readers {
        let read = of_streams(&joined(reader).await, &names);
        check_reader(&read, &order).unwrap_or_else(|violation| panic!("{violation}"));
    }
    for reader in event_readers {
        let mut read = joined(reader).await;
        read.retain(|event| names.contains(&event.stream));
        assert!(read == flat(&order), "G6: every event once, in order");
    }
}

/// Reads on until the end is reached after everything was written.
async fn follow(
    subject: &dyn Subject,
    start: u64,
    limit: u64,
    done: &AtomicBool,
) -> Vec<Changeset> {
    let mut seen = Vec::new();
    loop {
        let read = GlobalRead::from(start + seen.len() as u64).limit(limit);
        let all_written = done.load(Ordering::SeqCst);
        let page = log_page(subject, read.wait(patience(all_written))).await;
        if page.is_empty() && all_written {
            return seen;
        }
        seen.extend(page);
    }
}

async fn follow_events(
    subject: &dyn Subject,
    start: u64,
    limit: u64,
    done: &AtomicBool,
) -> Vec<GlobalEvent> {
    let (mut seen, mut at) = (Vec::new(), (start, 0));
    loop {
        let all_written = done.load(Ordering::SeqCst);
        let read = GlobalRead::from(at).limit(limit);
        let read = read.wait(patience(all_written));
        let page = subject.global_events(&read).await.expect("G6: a page");
        if page.events.is_empty() && all_written {
            return seen;
        }
        at = page.next_checkpoint;
        seen.extend(page.events);
    }
}

fn patience(all_written: bool) -> Duration {
    if all_written {
        Duration::ZERO
    } else {
        Duration::from_secs(1)
    }
}

/// Events can be read from every single one on; an index beyond a changeset's events means the
/// next changeset.
pub async fn events_can_be_read_from_each_on(harness: &mut dyn Harness) {
    let (start, names) = written(harness, 2).await;
    let subject = harness.subject();
    let order = log(&*subject, start, GLOBAL_LIMIT).await;
    let ours = placed(&*subject, start, &names).await;
    let last = ours.last().and_then(|changeset| changeset.checkpoint);
    let last = last.expect("G6: a position");
    let mut all = flat(&order);
    all.retain(|event| event.checkpoint.0 <= last);
    for changeset in &ours {
        let position = changeset.checkpoint.expect("G6: a position");
        let count = changeset.last_event_id - changeset.first_event_id + 1;
        for index in 0..=count + 2 {
            let from = (position, index);
            let expected = all.iter().filter(|event| event.checkpoint >= from);
            let expected: Vec<_> = expected.cloned().collect();
            let found = event_log_past(&*subject, from, 4, last).await;
            assert_eq!(found[..expected.len()], expected, "G6: from {from:?}");
        }
    }
}

/// Pages of every size of events give the events of the changesets, one after another.
pub async fn every_limit_gives_the_same_events(harness: &mut dyn Harness) {
    let (start, names) = written(harness, 4).await;
    let subject = harness.subject();
    let expected = flat(&placed(&*subject, start, &names).await);
    for limit in [1, 2, 3, 4, 5, 11, 48, 999, GLOBAL_LIMIT] {
        let mut found = event_log(&*subject, (start, 0), limit).await;
        found.retain(|event| names.contains(&event.stream));
        assert_eq!(found, expected, "G6: in pages of {limit}");
    }
}

/// No page exceeds its size limit, however many items were requested.
pub async fn large_changesets_come_in_pages(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("large"));
    let count = fill_large(&*subject, &name, harness.capabilities().max_changeset_bytes).await;
    harness.settle().await;
    let read = GlobalRead::from(start).limit(GLOBAL_LIMIT);
    let page = log_page(&*subject, read).await;
    assert_fits(&page, |c| c.events.len());
    let all = log(&*subject, start, GLOBAL_LIMIT).await;
    let ours = of_streams(&all, std::slice::from_ref(&name)).len() as u64;
    assert_eq!(ours, count, "G6: all of them, page by page");
    let read = GlobalRead::from((start, 0)).limit(GLOBAL_LIMIT);
    let page = subject.global_events(&read).await.expect("G6: a page");
    assert_fits(&page.events, |event| event.data.len());
    let events = event_log(&*subject, (start, 0), GLOBAL_LIMIT).await;
    let ours = events.iter().filter(|event| event.stream == name).count();
    assert_eq!(ours as u64, count, "G6: all of them, page by page");
}

/// A store that orders at commit time tells the position at once; another cannot, and must not
/// guess. The stream, where it tells a position, tells the same one.
pub async fn commits_tell_their_checkpoint(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("receipt"));
    let told = fill(&*subject, &name, &SIZES).await;
    let told: Vec<_> = told.into_iter().map(|c| c.checkpoint).collect();
    harness.settle().await;
    let order = log(&*subject, start, GLOBAL_LIMIT).await;
    let ours = of_streams(&order, std::slice::from_ref(&name));
    let placed: Vec<_> = ours.iter().map(|c| c.checkpoint).collect();
    if harness.capabilities().orders_at_commit {
        assert_eq!(
            told, placed,
            "G6: the answer to the commit has the position"
        );
    } else {
        assert_eq!(
            told,
            vec![None; SIZES.len()],
            "G6: the answer to the commit has no position"
        );
    }
    for (changeset, placed) in stream(&*subject, &name).await.iter().zip(placed) {
        let known = changeset.checkpoint;
        let same = known == placed || (known.is_none() && !harness.capabilities().orders_at_commit);
        assert!(same, "G6: {known:?} in the stream, {placed:?} in the order");
    }
}
