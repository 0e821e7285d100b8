//! G14: every kind of read sees what was imported, and passes void positions.

use ees_core::{
    Changeset, Checkpoint, Events, Expectation, Filter, NewChangeset, PageLimit, Projector,
    Statistics, StreamQuery, Subscription,
};

use super::scene::{Source, assert_same, at, import};
use crate::EvidenceHarness;
use crate::support::{store_over, within};

/// Streams between void positions: at the beginning, alone, and more of them than a page of an index
/// has.
fn source() -> Source {
    let mut source = Source::default();
    source.skip(2);
    source.fill("a-1", 2);
    source.fill("b-1", 1);
    source.skip(1);
    source.add("a-1", r#"[{"type":"opened"}, 2, {"type":"filled"}]"#);
    source.skip(1);
    source.add("a-2", r#"[{"type":"opened"}]"#);
    source.skip(2500);
    source.fill("c", 3);
    source.skip(120);
    source.fill("b-1", 2);
    source.add("a-1", r#"[{"type":"closed"},{"type":"filled"}]"#);
    source
}

/// Positions at which a read begins: around every changeset, and inside the void ranges.
fn positions(source: &Source) -> Vec<Checkpoint> {
    let stored = source.changesets.iter().filter_map(|one| one.checkpoint);
    let around = stored.flat_map(|position| {
        let number = position.get();
        [number.saturating_sub(1), number, number + 1]
    });
    let mut positions: Vec<u64> = around.chain([0, 1, 500, 1500, 2600]).collect();
    positions.sort_unstable();
    positions.dedup();
    positions.into_iter().map(at).collect()
}

fn limited(changesets: &[Changeset], limit: usize) -> &[Changeset] {
    &changesets[..limit.min(changesets.len())]
}

/// Streams, their heads and their events, forward and backward.
pub async fn streams_are_read_as_they_were(harness: &mut dyn EvidenceHarness) {
    let source = source();
    import(harness, &source, 4).await;
    let store = store_over(harness.storage());
    for name in ["a-1", "a-2", "b-1", "c"] {
        let expected = source.stream(name);
        let query = StreamQuery::all(name.parse().expect("a stream id"));
        let head = store.head(&query.stream_id).await.expect("G14: a head");
        assert_eq!(Some(head), expected.last().map(Changeset::head), "G14");
        let page = store.changesets(&query).await.expect("G5: a stream");
        assert_same(&page.items, &expected);
        let page = store.changesets(&query.clone().backward()).await;
        let mut backward = page.expect("G5: a stream").items;
        backward.reverse();
        assert_same(&backward, &expected);
        let events = store.events(&query).await.expect("G5: events").items;
        let wanted: Vec<_> = expected.iter().flat_map(Changeset::each_event).collect();
        assert_eq!(events, wanted, "G14: the events of `{name}`");
    }
    let none = StreamQuery::all("a".parse().expect("a stream id"));
    assert!(store.head(&none.stream_id).await.is_err(), "G5: no stream");
}

/// A page begins at any position, also a void one, and leads to the next.
pub async fn the_order_is_read_from_every_position(harness: &mut dyn EvidenceHarness) {
    let source = source();
    import(harness, &source, 4).await;
    let store = store_over(harness.storage());
    for from in positions(&source) {
        let rest = source.within(from..source.end());
        for limit in [1, 2, 1000] {
            let page = store.global_changesets(from, limit.into()).await;
            let page = page.expect("G6: a page of the order");
            let expected = limited(&rest, limit);
            assert_same(&page.changesets, expected);
            let last = expected.last().and_then(|last| last.checkpoint);
            let next = last.map_or(from, |last| last.plus(1));
            assert_eq!(page.next, next, "G6: where the page from {from} leads");
        }
        let events = store.global_events(from.into(), PageLimit::default()).await;
        let events = events.expect("G6: a page of events").events;
        let found: Vec<_> = events.into_iter().map(|event| event.event).collect();
        let wanted: Vec<_> = rest.iter().flat_map(Changeset::each_event).collect();
        assert_eq!(found, wanted, "G14: the events from {from} on");
    }
}

/// The newest first, down to the beginning.
pub async fn the_order_is_read_backward(harness: &mut dyn EvidenceHarness) {
    let source = source();
    import(harness, &source, 4).await;
    let store = store_over(harness.storage());
    for (begin, limit) in [
        (source.end(), 1000),
        (source.end(), 300),
        (at(1500), 700),
        (at(8), 2),
        (at(8), 1),
    ] {
        let mut found = Vec::new();
        let mut before = begin;
        while before > Checkpoint::FIRST {
            let page = store.global_changesets_before(before, limit.into()).await;
            let page = page.expect("G6: a page before a checkpoint");
            assert!(page.next < before, "G6: a page before {before} leads on");
            found.extend(page.changesets);
            before = page.next;
        }
        found.reverse();
        assert_same(&found, &source.within(Checkpoint::FIRST..begin));
    }
}

/// A filtered read answers what matches, and reaches the end also if nothing does.
pub async fn filtered_reads_pass_void_positions(harness: &mut dyn EvidenceHarness) {
    let source = source();
    import(harness, &source, 4).await;
    let storage = harness.storage();
    for filter in [
        Filter::default().stream_prefix("a-"),
        Filter::default().stream_prefix("c"),
        Filter::default().event_type("opened"),
        Filter::default().event_type("closed").stream_prefix("a-1"),
        Filter::default().event_type("unknown"),
        Filter::default().stream_prefix("unknown"),
    ] {
        for begin in [0, 1, 5, 6, 700, 2510] {
            for limit in [1, 1000] {
                let mut from = at(begin);
                let mut found = Vec::new();
                while from < source.end() {
                    let page = storage.read_filtered(from, limit.into(), &filter).await;
                    let page = page.expect("G15: a filtered page");
                    assert!(page.next > from, "G15: a page from {from} leads on");
                    from = page.next;
                    found.extend(page.changesets);
                }
                assert_eq!(from, source.end(), "G15: no further than the end");
                let mut expected = source.within(at(begin)..source.end());
                expected.retain(|one| filter.matches(one));
                assert_same(&found, &expected);
            }
        }
    }
}

/// A subscription goes on over void positions, to the commits behind them.
pub async fn subscriptions_pass_void_positions(harness: &mut dyn EvidenceHarness) {
    let source = source();
    import(harness, &source, 4).await;
    let store = store_over(harness.storage());
    for (begin, last) in [(0, 0), (5, 1), (1200, 2)] {
        let mut subscription = Subscription::new(&store, at(begin));
        let expected = source.within(at(begin)..source.end());
        for expected in &expected {
            let next = within("G8: the next changeset comes", subscription.next()).await;
            assert_eq!(next.ok().as_ref(), Some(expected), "G14: the next one");
        }
        let behind = subscription.checkpoint();
        assert_eq!(behind, source.end(), "G6: behind the last one");
        let events = Events::parse("[1]").expect("events");
        let stream_id = "later".parse().expect("a stream id");
        let asked = NewChangeset::new(stream_id, Expectation::LastChangeset(last), events);
        let (committed, ()) = tokio::join!(store.commit(asked), async {
            for number in 0..=last {
                let next = within("G8: the commit comes", subscription.next()).await;
                let next = next.expect("G6: the next changeset");
                let expected = Some(source.end().plus(number));
                assert_eq!(next.checkpoint, expected, "G6: behind the import");
            }
        });
        committed.expect("G14: commits go on");
    }
}

/// Void positions are counted as nothing.
pub async fn statistics_pass_void_positions(harness: &mut dyn EvidenceHarness) {
    let source = source();
    import(harness, &source, 4).await;
    let counted = Projector::new(&store_over(harness.storage()))
        .catch_up()
        .await;
    let events = source.changesets.iter().map(|one| one.events.count());
    let expected = Statistics {
        version: source.end(),
        total_streams: 4,
        total_changesets: source.changesets.len() as u64,
        total_events: events.sum(),
        max_stream_length: 4,
    };
    assert_eq!(counted.ok(), Some(expected), "G13: exact counts");
    let stored = harness.storage().load_statistics().await;
    assert_eq!(stored.ok(), Some(expected), "G13: and saved");
}
