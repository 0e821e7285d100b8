//! Changesets without events, which only the Python original wrote.

use std::sync::Arc;

use ees_core::adapter::{Index, Storage};
use ees_core::{Error, EventStore, Events, Expectation, NewChangeset, StreamQuery};
use ees_dynamodb_testkit::Emulator;

use crate::order::{entry, order};
use crate::original::Original;
use crate::store::{commit, open, sweep};
use crate::taking_over::take_over;

fn asked(stream: &str, last_event: u64) -> NewChangeset {
    let events = Events::parse("[1]").unwrap();
    NewChangeset::new(
        stream.parse().unwrap(),
        Expectation::LastEvent(last_event),
        events,
    )
}

/// No number of an event is before the first: what follows counts from the second.
#[tokio::test]
async fn a_stream_that_begins_without_events_goes_on() {
    let emulator = Emulator::start().expect("an emulator");
    let original = Original::deploy(emulator.endpoint()).await;
    original.append("e", 1, 1, 0).await;
    original.index((0, 0), "e", 1).await;
    take_over(&original).await.unwrap();
    let storage = open(&original.config).await;
    commit(&storage, "e", 1).await;
    sweep(Arc::clone(&storage) as Arc<dyn Index>).await;
    assert_eq!(
        order(&storage, 0).await,
        [entry(0, "e", 1), entry(1, "e", 2)]
    );
    let page = storage
        .read_stream(&StreamQuery::all("e".parse().unwrap()))
        .await
        .unwrap();
    let events: Vec<_> = page
        .items
        .iter()
        .map(|c| (c.events.count(), c.last_event_id.get()))
        .collect();
    assert_eq!(events, [(0, 1), (1, 2)]);
}

/// G2: who is late by nothing but changesets without events is late, and goes on from the head.
#[tokio::test]
async fn who_is_late_by_no_event_is_told() {
    let emulator = Emulator::start().expect("an emulator");
    let original = Original::deploy(emulator.endpoint()).await;
    original.append("e", 1, 1, 0).await;
    original.index((0, 0), "e", 1).await;
    original.append("e", 2, 1, 0).await;
    original.index((0, 1), "e", 2).await;
    take_over(&original).await.unwrap();
    let store = EventStore::new(open(&original.config).await);
    let Err(Error::Conflict(conflict)) = store.commit(asked("e", 0)).await else {
        panic!("G2: it is late");
    };
    assert_eq!(conflict.forthcoming.items, []);
    let head = store.head(&"e".parse().unwrap()).await.unwrap();
    let receipt = store.commit(asked("e", head.last_event.get())).await;
    assert_eq!(receipt.unwrap().changeset_id.get(), 3);
}

/// G3: who read all events knows the last, whatever stands behind it.
#[tokio::test]
async fn who_read_all_events_commits_behind_them() {
    let emulator = Emulator::start().expect("an emulator");
    let original = Original::deploy(emulator.endpoint()).await;
    original.append("a", 1, 1, 2).await;
    original.index((0, 0), "a", 1).await;
    original.append("a", 2, 3, 0).await;
    original.index((0, 1), "a", 2).await;
    take_over(&original).await.unwrap();
    let store = EventStore::new(open(&original.config).await);
    let all = StreamQuery::all("a".parse().unwrap()).events(1..);
    assert_eq!(store.events(&all).await.unwrap().items.len(), 2);
    let receipt = store.commit(asked("a", 2)).await.unwrap();
    assert_eq!(receipt.changeset_id.get(), 3);
}
