//! The API that an embedder calls: streams of pages, typed reading, one error type.

use std::sync::Arc;
use std::time::Duration;

use ees_core::{
    Changeset, Checkpoint, CheckpointStore, Clock, Error, Event, EventStore, Events, Expectation,
    NewChangeset, PageLimit, StorageError, StreamId, StreamQuery, Subscription, Timestamp, Written,
};
use ees_memory::MemoryStorage;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

fn stream() -> StreamId {
    "s".parse().unwrap()
}

/// Commits a stream whose changesets have these numbers of events. Event `n` is the number `n`.
async fn store(sizes: &[u64]) -> EventStore {
    let store = EventStore::new(Arc::new(MemoryStorage::new()));
    let (mut expectation, mut last) = (Expectation::NEW_STREAM, 0);
    for size in sizes {
        let events: Vec<u64> = (last + 1..=last + size).collect();
        let asked = NewChangeset::new(stream(), expectation, Events::of(&events).unwrap());
        expectation = Expectation::from(&store.commit(asked).await.unwrap());
        last += size;
    }
    store
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

/// The ids of the events that a query selects, by their definition.
fn selected(sizes: &[u64], query: &StreamQuery) -> Vec<u64> {
    use ees_core::{Direction, StreamRange};
    let mut changeset_of = Vec::new();
    for (index, size) in sizes.iter().enumerate() {
        changeset_of.extend((0..*size).map(|_| index as u64 + 1));
    }
    let events = (1..).zip(changeset_of);
    let mut ids: Vec<u64> = events
        .filter(|(event, changeset)| match &query.range {
            StreamRange::Events(ids) => ids.contains(event),
            StreamRange::Changesets(ids) => ids.contains(changeset),
        })
        .map(|(event, _)| event)
        .collect();
    if query.direction == Direction::Backward {
        ids.reverse();
    }
    ids
}

fn query() -> impl Strategy<Value = StreamQuery> {
    (0..9_u64, 0..9_u64, any::<bool>(), any::<bool>(), 1..4_usize).prop_map(
        |(from, to, by_event, backward, items)| {
            let query = StreamQuery::all(stream()).limit(items);
            let query = if by_event {
                query.events(from..=to)
            } else {
                query.changesets(from..=to)
            };
            if backward { query.backward() } else { query }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Pages of events, followed by hand or as a stream, show each selected event once, in order.
    #[test]
    fn pages_of_events_can_be_followed(
        sizes in prop::collection::vec(1..4_u64, 1..6),
        query in query(),
    ) {
        let expected = selected(&sizes, &query);
        let (by_hand, as_stream) = block_on(async {
            let store = store(&sizes).await;
            let (mut by_hand, mut next) = (Vec::new(), Some(query.clone()));
            while let Some(query) = next {
                let page = store.events(&query).await.unwrap();
                next = query.next_page(&page);
                by_hand.extend(page.items.iter().map(id));
            }
            let as_stream: Vec<Event> = store.read_events(query).try_collect().await.unwrap();
            (by_hand, as_stream.iter().map(id).collect::<Vec<_>>())
        });
        prop_assert_eq!(&by_hand, &expected);
        prop_assert_eq!(&as_stream, &expected);
    }

    /// A stream of changesets shows each once, with any page size.
    #[test]
    fn pages_of_changesets_can_be_followed(
        sizes in prop::collection::vec(1..4_u64, 1..6),
        items in 1..4_usize,
    ) {
        let found: Vec<Changeset> = block_on(async {
            let all = StreamQuery::all(stream()).limit(items);
            store(&sizes).await.read_changesets(all).try_collect().await.unwrap()
        });
        let found: Vec<u64> = found.iter().map(|changeset| changeset.changeset_id.get()).collect();
        prop_assert_eq!(found, (1..=sizes.len() as u64).collect::<Vec<_>>());
    }
}

fn id(event: &Event) -> u64 {
    assert_eq!(event.data.read::<u64>().unwrap(), event.event_id.get());
    event.event_id.get()
}

#[tokio::test]
async fn a_stream_that_does_not_exist_is_empty() {
    let store = store(&[]).await;
    assert!(store.read(&stream()).next().await.is_none());
    let all = StreamQuery::all(stream());
    assert!(store.read_changesets(all).next().await.is_none());
    let folded = store.fold(&stream(), 7, |sum, n: u64| sum + n).await;
    assert_eq!(folded.unwrap(), (7, Expectation::NEW_STREAM));
}

#[tokio::test]
async fn a_failure_ends_the_stream_with_an_error() {
    let store = store(&[1]).await;
    store.close().await;
    let failed = store.read(&stream()).next().await.unwrap().unwrap_err();
    assert!(failed.is_retryable());
    assert_eq!(failed.written(), Written::None);
    let statistics = store.statistics().await.unwrap_err();
    assert_eq!(statistics.retry_after(), Some(StorageError::RETRY_AFTER));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Moved {
    In(u64),
    Out(u64),
}

#[tokio::test]
async fn an_aggregate_is_folded_and_committed_to() {
    let store = EventStore::new(Arc::new(MemoryStorage::new()));
    let apply = |sum: u64, event| match event {
        Moved::In(n) => sum + n,
        Moved::Out(n) => sum - n,
    };
    let moved = [Moved::In(10), Moved::Out(3)];
    let (_, expectation) = store.fold(&stream(), 0, apply).await.unwrap();
    let asked = NewChangeset::new(stream(), expectation, Events::of(&moved).unwrap());
    store.commit(asked.clone()).await.unwrap();

    let conflict = store.commit(asked).await.unwrap_err();
    assert!(matches!(conflict, Error::Conflict(_)) && !conflict.is_retryable());
    let (sum, expectation) = store.fold(&stream(), 0, apply).await.unwrap();
    assert_eq!((sum, expectation), (7, Expectation::LastChangeset(1)));
    let head = store.head(&stream()).await.unwrap();
    assert_eq!(Expectation::from(&head), expectation);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_named() {
    let store = store(&[1, 2]).await;
    let folded = store.fold(&stream(), (), |(), _: Moved| ()).await;
    let Err(Error::UnreadableEvent(error)) = folded else {
        panic!("{folded:?}");
    };
    assert_eq!((error.stream_id.as_str(), error.event_id.get()), ("s", 1));
    let text = error.to_string();
    assert!(
        text.starts_with("event 1 of stream `s` cannot be read: "),
        "{text}"
    );
    // One event that cannot be read does not hide the others.
    let all = store.changesets(&StreamQuery::all(stream())).await.unwrap();
    let read = all.items[1].read_events::<u64>();
    assert_eq!(read.filter_map(Result::ok).collect::<Vec<_>>(), [2, 3]);
}

/// A clock on which no pause takes time.
struct Hurried;

impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        futures_util::future::ready(()).boxed()
    }
}

#[tokio::test]
async fn a_subscription_is_a_stream_that_survives_errors() {
    let storage = Arc::new(MemoryStorage::new());
    let store = EventStore::new(Arc::clone(&storage)).with_clock(Arc::new(Hurried));
    storage
        .save_checkpoint("r", Checkpoint::FIRST.plus(1))
        .await
        .unwrap();
    for number in 0..3 {
        let id = format!("s{number}").parse().unwrap();
        let asked = NewChangeset::new(id, Expectation::NEW_STREAM, Events::parse("[1]").unwrap());
        store.commit(asked).await.unwrap();
    }
    let resumed = Subscription::resume(&store, storage.as_ref(), "r").await;
    let mut changesets = resumed.unwrap().into_stream();
    let first = changesets.next().await.unwrap().unwrap();
    assert_eq!(first.checkpoint.unwrap().get(), 1);
    changesets.next().await.unwrap().unwrap();
    store.close().await;
    assert!(changesets.next().await.unwrap().is_err());
    let again = changesets.next().await;
    assert!(again.unwrap().is_err(), "an error does not end it");
}

#[test]
fn what_a_host_keeps_is_debug() {
    fn shown(value: &impl std::fmt::Debug) -> String {
        format!("{value:?}")
    }
    let store = EventStore::new(Arc::new(MemoryStorage::new()));
    assert!(shown(&store).starts_with("EventStore"));
    assert!(shown(&Subscription::new(&store, Checkpoint::FIRST)).starts_with("Subscription"));
    assert_eq!(PageLimit::from(3), PageLimit::items(3));
}
