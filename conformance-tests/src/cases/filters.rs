//! G15: what filters select.

use crate::Harness;
use crate::subject::{Ask, Changeset, Expect, Filter, Subject, unique};
use crate::support::{
    GLOBAL_LIMIT, commit, end_of_log, events_of_size, fill_large, filtered, filtered_events, flat,
    log, selects, selects_event,
};

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
async fn typed(harness: &dyn Harness) -> (u64, String) {
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
pub async fn types_are_those_of_the_top_level(harness: &mut dyn Harness) {
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
pub async fn events_come_without_their_neighbours(harness: &mut dyn Harness) {
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
pub async fn prefixes_are_beginnings(harness: &mut dyn Harness) {
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
pub async fn every_limit_selects_the_same(harness: &mut dyn Harness) {
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

/// Large changesets are passed, and selected ones come in pages of bounded size.
pub async fn large_changesets_are_passed(harness: &mut dyn Harness) {
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
pub async fn many_types_are_found(harness: &mut dyn Harness) {
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
