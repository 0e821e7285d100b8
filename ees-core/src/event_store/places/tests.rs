use proptest::prelude::*;

use super::*;
use crate::{EventId, Events, Json, Timestamp};

fn changeset(events: u64, commit_id: &str) -> Changeset {
    let events: Vec<u64> = (0..events).collect();
    let events = Events::of(&events).unwrap();
    Changeset {
        stream_id: "s".parse().unwrap(),
        changeset_id: ChangesetId::FIRST,
        first_event_id: EventId::FIRST,
        last_event_id: EventId::new(events.count()).unwrap(),
        timestamp: Timestamp::from_micros(0).unwrap(),
        commit_id: CommitId::new(commit_id).unwrap(),
        set: None,
        events,
        metadata: Json::default(),
        checkpoint: None,
    }
}

/// The indices of a page, and how many events were walked over before it.
fn page(places: &Places, changeset: &Changeset, from: u64, items: usize) -> (Vec<u64>, u64) {
    let walk = places.walk(changeset, from);
    let skipped = walk.skipped;
    let page = walk.take(items).inspect(|event| {
        assert_eq!(event.data.as_str(), event.index.to_string());
        assert_eq!(event.event_id.get(), event.index + 1);
    });
    (page.map(|event| event.index).collect(), skipped)
}

#[test]
fn paging_through_a_large_changeset_walks_over_little_more_than_it() {
    const EVENTS: u64 = 100_000;
    let (large, places) = (changeset(EVENTS, "c"), Places::default());
    let (mut next, mut walked) = (0, 0);
    while next < EVENTS {
        let (found, skipped) = page(&places, &large, next, 100);
        assert_eq!(found[0], next);
        walked += skipped + found.len() as u64;
        next += found.len() as u64;
    }
    // From the remembered place before each of the 1,000 pages. Without places it would be 50 million.
    assert!(walked < EVENTS + 1000 * STRIDE, "{walked} events");
    let (_, backward) = page(&places, &large, 50_000, 1);
    assert!(backward < STRIDE, "{backward} events");
}

#[test]
fn paging_backward_walks_over_its_front_once() {
    const EVENTS: u64 = 100_000;
    let (large, places) = (changeset(EVENTS, "c"), Places::default());
    let (mut end, mut walked) = (EVENTS, 0);
    while end > 0 {
        let piece = places.piece_before(&large, end).unwrap();
        walked += piece.skipped + piece.count() as u64;
        let page = places.walk_back(&large, end).take(100);
        let found: Vec<u64> = page.map(|event| event.index).collect();
        let expected: Vec<u64> = (end.saturating_sub(100)..end).rev().collect();
        assert_eq!(found, expected);
        end -= found.len() as u64;
    }
    // One piece for each of the 1,000 pages. From the front of each it would be 50 million.
    assert!(walked < EVENTS + 1000 * STRIDE, "{walked} events");
}

#[test]
fn few_changesets_are_remembered() {
    let places = Places::default();
    for commit in 0..200 {
        let large = changeset(2000, &format!("c{commit}"));
        assert_eq!(page(&places, &large, 1500, 3).0, [1500, 1501, 1502]);
    }
    assert_eq!(places.lock().len(), CHANGESETS);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    /// Whatever was read before, in changesets that are alike.
    #[test]
    fn a_page_begins_where_it_should(
        sizes in prop::collection::vec(1..5000_u64, 1..4),
        reads in prop::collection::vec((0..4_usize, 0..6000_u64), 1..20),
    ) {
        let places = Places::default();
        let all = (0..).zip(&sizes).map(|(at, size)| changeset(*size, &format!("c{at}")));
        let all: Vec<Changeset> = all.collect();
        for (at, from) in reads {
            let changeset = &all[at % all.len()];
            let end = changeset.events.count();
            let expected: Vec<u64> = (from..end.min(from + 5)).collect();
            prop_assert_eq!(page(&places, changeset, from, 5).0, expected);
            let expected: Vec<u64> = (0..end.min(from)).rev().take(3000).collect();
            let found = places.walk_back(changeset, from).take(3000);
            let found: Vec<u64> = found.map(|event| event.index).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
