//! G15: what filters select, and that they never skip.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Harness;
use crate::subject::{Ask, Changeset, Expect, Filter, GlobalRead, Subject, unique};
use crate::support::{
    GLOBAL_LIMIT, LONG, commit, end_of_log, events_of_size, fill_large, filtered, filtered_events,
    flat, joined, log, selects, selects_event, together,
};

/// How long a reader that gets nothing waits.
const SHORT: Duration = Duration::from_secs(1);

/// Events of every kind that the type of an event depends on.
const EVENTS: &[&str] = &[
    r#"[{"type":"paid"}]"#,
    r#"[{"type":"sent"},{"type":"paid"},{"type":"sent"}]"#,
    r#"[{"data":{"type":"paid"},"type":"sent"}]"#,
    r#"[{"type":"sent","type":"paid"}]"#,
    r#"[{"type":"paid","type":"sent"}]"#,
    r#"[{"type":"paid","type":7}]"#,
    r#"[{"ty\u0070e":"p\u0061id"}]"#,
    r#"[{"type":"a\nb"},{"type":"nul\u0000"},{"type":"quote\"\\"}]"#,
    r#"[{"type":"größe \ud83d\ude00"},{"type":""}]"#,
    r#"[{"type":"Paid"},{"type":"paid "},{"type":"unpaid"},{"Type":"paid"}]"#,
    r#"[{"type":null},{"type":["paid"]},{"type":{"type":"paid"}}]"#,
    r#"["paid",7,null,["type","paid"],{}]"#,
];

/// Types that the events have, and some that none has.
const TYPES: &[&str] = &[
    "paid",
    "sent",
    "Paid",
    "a\nb",
    "a",
    "nul\0",
    "quote\"\\",
    "größe \u{1f600}",
    "p\\u0061id",
    "7",
    "null",
    "none",
];

/// Streams whose ids begin with each other, and a filter for each beginning.
fn ids(base: &str) -> Vec<String> {
    let ends = [
        "", "-", "-a", "-a-", "-a-b", "-ab", "-b", "x", "%", "_", "é",
    ];
    ends.map(|end| format!("{base}{end}")).into()
}

async fn write(subject: &dyn Subject, stream: &str, last: u64, events: &str) {
    let ask = Ask::new(stream, Expect::Changeset(last)).events(events);
    commit(subject, &ask).await;
}

/// Every event list in a stream of its own, and where the order ended before.
async fn typed<H: Harness>(harness: &H) -> (u64, String) {
    let subject = harness.subject();
    let (start, base) = (end_of_log(&*subject).await, unique("typed"));
    for (number, events) in EVENTS.iter().enumerate() {
        write(&*subject, &format!("{base}-{number}"), 0, events).await;
    }
    harness.settle().await;
    (start, base)
}

/// The changesets of the order that a filter has to select.
fn selected(order: &[Changeset], filter: &Filter) -> Vec<Changeset> {
    let selected = order.iter().filter(|changeset| selects(filter, changeset));
    selected.cloned().collect()
}

/// A filter by types selects the changesets that have an event of one of them.
pub async fn types_are_those_of_the_top_level<H: Harness>(harness: &mut H) {
    let (start, base) = typed(harness).await;
    let subject = harness.subject();
    let order = log(&*subject, start, GLOBAL_LIMIT).await;
    let lists = TYPES.windows(2).chain(TYPES.chunks(1)).chain([TYPES]);
    for types in lists {
        let filter = Filter::new(&[&base], types);
        let found = filtered(&*subject, start, &filter, GLOBAL_LIMIT).await;
        assert_eq!(found.items, selected(&order, &filter), "G15: {types:?}");
    }
}

/// A reader of events gets the events of these types alone, from every position on.
pub async fn events_come_without_their_neighbours<H: Harness>(harness: &mut H) {
    let (start, base) = typed(harness).await;
    let subject = harness.subject();
    let order = log(&*subject, start, GLOBAL_LIMIT).await;
    for types in [&["paid"][..], &["sent", "quote\"\\"], &["none"], &[]] {
        let filter = Filter::new(&[&base], types);
        let mut all = flat(&selected(&order, &filter));
        all.retain(|event| selects_event(&filter, event));
        for limit in [1, 2, GLOBAL_LIMIT] {
            let found = filtered_events(&*subject, (start, 0), &filter, limit).await;
            assert_eq!(found.items, all, "G15: {types:?} in pages of {limit}");
        }
        for event in &all {
            let from = event.checkpoint;
            let found = filtered_events(&*subject, from, &filter, 2).await;
            let rest: Vec<_> = all
                .iter()
                .filter(|e| e.checkpoint >= from)
                .cloned()
                .collect();
            assert_eq!(found.items, rest, "G15: {types:?} from {from:?} on");
        }
    }
}

/// A prefix selects the streams whose ids begin with it, byte for byte, and several prefixes select
/// each changeset once.
pub async fn prefixes_are_beginnings<H: Harness>(harness: &mut H) {
    let subject = harness.subject();
    let (start, base) = (end_of_log(&*subject).await, unique("prefix"));
    let ids = ids(&base);
    for id in &ids {
        write(&*subject, id, 0, r#"[{"type":"a"}]"#).await;
        write(&*subject, &format!("other-{id}"), 0, r#"[{"type":"a"}]"#).await;
    }
    harness.settle().await;
    let order = log(&*subject, start, GLOBAL_LIMIT).await;
    let longer = format!("{base}-a-b-and-more");
    let all: Vec<_> = ids.iter().chain([&longer]).map(String::as_str).collect();
    let lists = all.chunks(1).chain(all.windows(2)).chain([&all[1..]]);
    for prefixes in lists {
        for types in [&[][..], &["a"], &["b"]] {
            let filter = Filter::new(prefixes, types);
            let found = filtered(&*subject, start, &filter, GLOBAL_LIMIT).await;
            assert_eq!(found.items, selected(&order, &filter), "G15: {filter:?}");
        }
    }
}

/// Pages of every size give the same changesets, and whoever goes on misses none.
pub async fn every_limit_selects_the_same<H: Harness>(harness: &mut H) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("limits"));
    for last in 0..60 {
        let events = format!(r#"[{{"type":"t{}"}}]"#, last % 4);
        write(&*subject, &name, last, &events).await;
    }
    harness.settle().await;
    let order = log(&*subject, start, GLOBAL_LIMIT).await;
    let filter = Filter::new(&[&name], &["t1", "t2"]);
    let expected = selected(&order, &filter);
    assert_eq!(expected.len(), 30, "G15: every other one");
    for limit in [1, 2, 3, 7, 29, 30, 31, GLOBAL_LIMIT] {
        let found = filtered(&*subject, start, &filter, limit).await;
        assert_eq!(found.items, expected, "G15: in pages of {limit}");
    }
}

/// A filter that selects nothing reaches the head in a few requests.
pub async fn what_selects_nothing_reaches_the_head<H: Harness>(harness: &mut H) {
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

/// Large changesets are passed, and selected ones come in pages of bounded size.
pub async fn large_changesets_are_passed<H: Harness>(harness: &mut H) {
    let subject = harness.subject();
    let (start, large, small) = (
        end_of_log(&*subject).await,
        unique("large"),
        unique("small"),
    );
    let largest = harness.capabilities().max_changeset_bytes;
    let count = fill_large(&*subject, &large, largest).await;
    write(&*subject, &small, 0, r#"[{"type":"small"}]"#).await;
    let ask = Ask::new(&large, Expect::Changeset(count)).events(events_of_size(largest - 2));
    commit(&*subject, &ask).await;
    write(&*subject, &small, 1, r#"[{"type":"small"}]"#).await;
    harness.settle().await;
    let filter = Filter::new(&[], &["small"]);
    let found = filtered(&*subject, start, &filter, 10).await.items;
    let ours = found.iter().filter(|changeset| changeset.stream == small);
    let ids: Vec<_> = ours.map(|changeset| changeset.changeset_id).collect();
    assert_eq!(ids, [1, 2], "G15: small ones among large ones");
    let filter = Filter::new(&[&large], &[]);
    let found = filtered(&*subject, start, &filter, GLOBAL_LIMIT).await;
    let found_count = found.items.len() as u64;
    assert_eq!(found_count, count + 1, "G15: large ones page by page");
    assert!(found.pages > 1, "G15: no page exceeds its size limit");
}

/// A changeset with many types is found by each of them.
pub async fn many_types_are_found<H: Harness>(harness: &mut H) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("many"));
    for (last, count) in [10, 60, 70, 80, 1000].into_iter().enumerate() {
        let events: Vec<_> = (0..count)
            .map(|n| format!(r#"{{"type":"{name}-{n}"}}"#))
            .collect();
        let events = format!("[{}]", events.join(","));
        write(&*subject, &name, last as u64, &events).await;
    }
    let long = format!("{name}-{}", "x".repeat(2000));
    write(&*subject, &name, 5, &format!(r#"[1,{{"type":"{long}"}}]"#)).await;
    harness.settle().await;
    for (wanted, expected) in [
        (format!("{name}-0"), &[1, 2, 3, 4, 5][..]),
        (format!("{name}-59"), &[2, 3, 4, 5]),
        (format!("{name}-79"), &[4, 5]),
        (format!("{name}-999"), &[5]),
        (format!("{name}-1000"), &[]),
        (long, &[6]),
    ] {
        let filter = Filter::new(&[], &[&wanted]);
        let found = filtered(&*subject, start, &filter, GLOBAL_LIMIT).await;
        let ids: Vec<_> = found.items.iter().map(|c| c.changeset_id).collect();
        assert_eq!(ids, expected, "G15: {wanted:.60}");
    }
}

/// Readers with filters who follow the order while it is written get every selected changeset once,
/// in order.
pub async fn readers_beside_writers_skip_nothing<H: Harness>(harness: &mut H) {
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
        let expected = selected(&order, &filter);
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
pub async fn a_reader_waits_at_the_head<H: Harness>(harness: &mut H) {
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
    let end = end_of_log(&*subject).await;
    let read = GlobalRead::from((start, 0)).filter(&filter).wait(LONG);
    let page = subject.global_events(&read).await.expect("G15: events");
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
pub async fn a_wait_in_vain_tells_how_far_it_came<H: Harness>(harness: &mut H) {
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
