//! G15: a filtered read moves past everything that it looked at, and skips nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Harness;
use crate::subject::{Ask, Changeset, Expect, Filter, GlobalRead, Subject, unique};
use crate::support::{
    GLOBAL_LIMIT, LONG, commit, end_of_log, filtered, filtered_events, joined, log, selects,
    together,
};

/// How long a reader that gets nothing waits.
const SHORT: Duration = Duration::from_secs(1);

async fn write(subject: &dyn Subject, stream: &str, last: u64, events: &str) {
    let ask = Ask::new(stream, Expect::Changeset(last)).events(events);
    commit(subject, &ask).await;
}

/// A filter that selects nothing reaches the head in a few requests.
pub async fn what_selects_nothing_reaches_the_head(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let streams = (0..4).map(|_| {
        let subject = Arc::clone(&subject);
        async move {
            let name = unique("passed");
            for last in 0..75 {
                write(&*subject, &name, last, r#"[{"type":"passed"}]"#).await;
            }
        }
    });
    together(streams).await;
    harness.settle().await;
    let nowhere = unique("nowhere");
    for filter in [
        Filter::new(&[&nowhere], &[]),
        Filter::new(&[], &[&nowhere]),
        Filter::new(&[&nowhere], &["passed"]),
    ] {
        let found = filtered(&*subject, start, &filter, 1).await;
        assert_eq!(found.items, [], "G15: {filter:?} selects nothing");
        let pages = found.pages;
        assert!(
            pages <= 20,
            "G15: 300 changesets take a few requests, not {pages}"
        );
        let found = filtered_events(&*subject, (start, 0), &filter, 1).await;
        assert_eq!(found.items, [], "G15: {filter:?} selects nothing");
        let pages = found.pages;
        assert!(
            pages <= 20,
            "G15: 300 changesets take a few requests, not {pages}"
        );
    }
}

/// Whoever reads backward gets the same, newest first.
pub async fn the_newest_come_first_backward(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("backward"));
    for last in 0..40 {
        let kind = last % 5;
        let events = format!(r#"[{{"type":"t{kind}"}},{{"type":"other"}},{{"type":"t{kind}"}}]"#);
        write(&*subject, &name, last, &events).await;
    }
    harness.settle().await;
    let end = end_of_log(&*subject).await;
    for filter in [
        Filter::new(&[&name], &["t1", "t3"]),
        Filter::new(&[&name], &[]),
        Filter::new(&[&name], &["none"]),
    ] {
        let mut changesets = filtered(&*subject, start, &filter, GLOBAL_LIMIT)
            .await
            .items;
        let mut events = filtered_events(&*subject, (start, 0), &filter, GLOBAL_LIMIT)
            .await
            .items;
        changesets.reverse();
        events.reverse();
        for limit in [1, 3, GLOBAL_LIMIT] {
            let (mut found, mut at) = (Vec::new(), end);
            while at > start {
                let read = GlobalRead::before(at).limit(limit).filter(&filter);
                let page = subject.global_changesets(&read).await.expect("G15: a page");
                assert!(page.next_checkpoint < at, "G15: it leads on from {at}");
                found.extend(page.changesets);
                at = page.next_checkpoint;
            }
            found.retain(|changeset| changeset.checkpoint >= Some(start));
            assert_eq!(found, changesets, "G15: {filter:?} in pages of {limit}");
            let (mut found, mut at) = (Vec::new(), (end, 0));
            while at > (start, 0) {
                let read = GlobalRead::before(at).limit(limit).filter(&filter);
                let page = subject.global_events(&read).await.expect("G15: a page");
                assert!(page.next_checkpoint < at, "G15: it leads on from {at:?}");
                found.extend(page.events);
                at = page.next_checkpoint;
            }
            found.retain(|event| event.checkpoint >= (start, 0));
            assert_eq!(found, events, "G15: {filter:?} in pages of {limit}");
        }
    }
}

/// Readers with filters who follow the order while it is written get every selected changeset once,
/// in order.
pub async fn readers_beside_writers_skip_nothing(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, base) = (end_of_log(&*subject).await, unique("beside"));
    let done = Arc::new(AtomicBool::new(false));
    let filters = [
        Filter::new(&[&format!("{base}-1")], &[]),
        Filter::new(&[&base], &["t0", "t3"]),
        Filter::new(&[&format!("{base}-2"), &format!("{base}-3")], &["t1"]),
    ];
    let readers = filters.clone().map(|filter| {
        let (subject, done) = (Arc::clone(&subject), Arc::clone(&done));
        tokio::spawn(async move { follow(&*subject, start, &filter, &done).await })
    });
    let writers = (0..8).map(|writer| {
        let (subject, name) = (Arc::clone(&subject), format!("{base}-{writer}"));
        async move {
            for last in 0..25 {
                let events = format!(r#"[{{"type":"t{}"}}]"#, last % 5);
                write(&*subject, &name, last, &events).await;
            }
        }
    });
    together(writers).await;
    harness.settle().await;
    done.store(true, Ordering::SeqCst);
    let order = log(&*subject, start, GLOBAL_LIMIT).await;
    for (reader, filter) in readers.into_iter().zip(filters) {
        let expected = order.iter().filter(|changeset| selects(&filter, changeset));
        let expected: Vec<_> = expected.cloned().collect();
        let found = joined(reader).await;
        assert!(
            found == expected,
            "G15: {filter:?} selects {} changesets once each, in order, not {}",
            expected.len(),
            found.len()
        );
    }
}

/// Reads on until the end is reached after everything was written.
async fn follow(
    subject: &dyn Subject,
    start: u64,
    filter: &Filter,
    done: &AtomicBool,
) -> Vec<Changeset> {
    let (mut seen, mut at) = (Vec::new(), start);
    loop {
        let all_written = done.load(Ordering::SeqCst);
        let wait = if all_written { Duration::ZERO } else { SHORT };
        let read = GlobalRead::from(at).limit(3).filter(filter).wait(wait);
        let page = subject.global_changesets(&read).await.expect("G15: a page");
        if page.next_checkpoint == at && all_written {
            return seen;
        }
        seen.extend(page.changesets);
        at = page.next_checkpoint;
    }
}

/// A reader that waits passes what its filter does not select, and gets what it selects.
pub async fn a_reader_waits_at_the_head(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("awaited"));
    let filter = Filter::new(&[], &[&name]);
    for last in 0..30 {
        write(&*subject, &name, last, r#"[{"type":"passed"}]"#).await;
    }
    let reader = {
        let (subject, filter) = (Arc::clone(&subject), filter.clone());
        tokio::spawn(async move { await_one(&*subject, start, &filter).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    for last in 30..60 {
        write(&*subject, &name, last, r#"[{"type":"passed"}]"#).await;
    }
    write(&*subject, &name, 60, &format!(r#"[{{"type":"{name}"}}]"#)).await;
    assert_eq!(joined(reader).await, 61, "G15: what was waited for");
    harness.settle().await;
    let read = GlobalRead::from((start, 0)).filter(&filter).wait(LONG);
    let page = subject.global_events(&read).await.expect("G15: events");
    // Others may append meanwhile, so the head is read behind the page.
    let end = end_of_log(&*subject).await;
    assert_eq!(page.events.len(), 1, "G15: a wait returns existing items");
    assert!(
        page.next_checkpoint <= (end, 0),
        "G15: it leads to the head"
    );
}

async fn await_one(subject: &dyn Subject, start: u64, filter: &Filter) -> u64 {
    let mut at = start;
    loop {
        let read = GlobalRead::from(at).filter(filter).wait(LONG);
        let page = subject.global_changesets(&read).await.expect("G15: a page");
        if let Some(found) = page.changesets.first() {
            return found.changeset_id;
        }
        at = page.next_checkpoint;
    }
}

/// A reader that waits in vain is told how far it came.
pub async fn a_wait_in_vain_tells_how_far_it_came(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("vain"));
    for last in 0..5 {
        write(&*subject, &name, last, r#"[{"type":"passed"}]"#).await;
    }
    harness.settle().await;
    let end = end_of_log(&*subject).await;
    let filter = Filter::new(&[], &[&name]);
    let begun = Instant::now();
    let read = GlobalRead::from(start).filter(&filter).wait(SHORT);
    let page = subject.global_changesets(&read).await.expect("G15: a page");
    assert_eq!(page.changesets, [], "G15: nothing is selected");
    assert!(begun.elapsed() >= SHORT, "G15: the read waited");
    let next = page.next_checkpoint;
    assert!(next >= end, "G15: it came to {end}, but it says {next}");
    let read = GlobalRead::from((start, 0)).filter(&filter).wait(SHORT);
    let page = subject.global_events(&read).await.expect("G15: a page");
    assert_eq!(page.events, [], "G15: nothing is selected");
    let next = page.next_checkpoint;
    assert!(
        next >= (end, 0),
        "G15: it came to {end}, but it says {next:?}"
    );
}
