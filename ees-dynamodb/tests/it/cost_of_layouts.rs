//! What operations cost on each layout of the tables: `docs/dynamodb.md`.

use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::{Index, Storage};
use ees_core::indexer::Indexer;
use ees_core::{Checkpoint, PageLimit, StreamQuery, StreamRange};
use ees_dynamodb::DynamoConfig;

use crate::cost::{Cost, Metered, commit, cost, costs, keys, metered, metered_on, name};
use crate::opening::tables_with_whole_index;
use crate::store::{Layout, WithoutLocalIndexes, open};

/// Tables whose global index holds whole changesets, and whose local indexes hold keys.
struct WholeIndex;

#[async_trait]
impl Layout for WholeIndex {
    const INDEX_PAGE: u64 = 1000;

    async fn create(config: &DynamoConfig) {
        tables_with_whole_index(config).await;
    }
}

/// Commits a changeset of this size to a hundred streams and indexes them.
async fn indexed(store: &Metered, kilobytes: usize) {
    for stream in 0..100 {
        commit(&store.storage, &name(stream), 0, kilobytes).await;
    }
    let mut indexer = Indexer::new(Arc::clone(&store.storage) as Arc<dyn Index>);
    store.meter.read();
    indexer.index(keys(1)).await.unwrap();
}

/// Where the index holds whole changesets, a position writes S units twice.
#[tokio::test]
async fn a_position_writes_the_changeset_twice_where_the_index_holds_it() {
    for (kilobytes, units) in [(1, 200.0), (10, 2000.0)] {
        let store = metered_on::<WholeIndex>().await;
        indexed(&store, kilobytes).await;
        assert_eq!(store.meter.read()["UpdateItem"], cost(100, units));
    }
}

/// Where the index holds keys, a position writes one unit more than the changeset, at any size.
#[tokio::test]
async fn a_position_writes_one_unit_more_where_the_index_holds_keys() {
    let store = metered().await;
    commit(&store.storage, &name(0), 0, 396).await;
    let mut indexer = Indexer::new(Arc::clone(&store.storage) as Arc<dyn Index>);
    store.meter.read();
    indexer.index(keys(1).into_iter().take(1)).await.unwrap();
    assert_eq!(store.meter.read()["UpdateItem"], cost(1, 396.0 + 1.0));
}

/// Reads so many changesets of the order from this position on. Returns what they cost.
async fn read(store: &Metered, from: u64, limit: usize) -> Vec<(String, Cost)> {
    let from = Checkpoint::new(from).unwrap();
    let limit = PageLimit::items(limit);
    let page = store.storage.read_global(from, limit).await.unwrap();
    assert!(!page.changesets.is_empty());
    store.meter.read().into_iter().collect()
}

/// An eighth of S read units a changeset, and one query for a page of the index or 1 MB.
#[tokio::test]
async fn a_global_read_is_one_query_where_the_index_holds_changesets() {
    let store = metered_on::<WholeIndex>().await;
    indexed(&store, 10).await;
    store.meter.read();
    let spent = read(&store, 0, 90).await;
    let [(query, Cost { requests, units })] = &spent[..] else {
        panic!("{spent:?}");
    };
    assert_eq!((query.as_str(), *requests), ("Query", 1));
    let most = 91.0 * 10.0 / 8.0 + 1.0;
    assert!(*units <= most, "{units} units for 91 of 10 KB");
    // At the head the state tells that there is no more.
    let spent = read(&store, 90, 1000).await;
    let [(_, state), (_, query)] = &spent[..] else {
        panic!("{spent:?}");
    };
    assert_eq!((state.requests, query.requests), (1, 1));
    assert!(state.units <= 4.0, "{spent:?}: the state has 16 KB at most");
}

/// An eighth of S read units a changeset and at least half a unit, and 2 units for the keys of a
/// hundred. One query for a page of the index or 1 MB, and a request for 25 changesets.
#[tokio::test]
async fn a_global_read_fetches_the_changesets_of_keys() {
    for (kilobytes, each) in [(1, 0.5), (10, 1.5)] {
        let store = metered().await;
        indexed(&store, kilobytes).await;
        // The first page of a process does not know the size of changesets.
        read(&store, 0, 10).await;
        let spent = read(&store, 0, 90).await;
        let [(_, batches), (_, query)] = &spent[..] else {
            panic!("{spent:?}");
        };
        assert_eq!(query.requests, 1, "{spent:?}");
        assert_eq!(*batches, cost(4, 90.0 * each), "{kilobytes} KB");
        assert!(query.units <= 2.0, "{spent:?}: keys");
    }
}

/// The changesets of a page are fetched with their size in view.
#[tokio::test]
async fn large_changesets_are_fetched_a_few_at_a_time() {
    let store = metered().await;
    for stream in 0..12 {
        commit(&store.storage, &name(stream), 0, 396).await;
    }
    let mut indexer = Indexer::new(Arc::clone(&store.storage) as Arc<dyn Index>);
    indexer.index(keys(1).into_iter().take(12)).await.unwrap();
    read(&store, 0, 1).await;
    let spent = read(&store, 0, 4).await;
    let [(_, batches), (_, query)] = &spent[..] else {
        panic!("{spent:?}");
    };
    assert_eq!(query.requests, 1, "{spent:?}");
    assert_eq!(*batches, cost(1, 4.0 * 49.5), "half of 99 for each");
}

/// S write units, as there are no entries in local indexes.
#[tokio::test]
async fn a_commit_without_local_indexes_writes_the_changeset_alone() {
    let store = metered_on::<WithoutLocalIndexes>().await;
    for (kilobytes, units) in [(1, 1.0), (10, 10.0), (396, 396.0)] {
        let stream = format!("s{kilobytes}");
        for last in 0..2 {
            commit(&store.storage, &stream, last, kilobytes).await;
            let wanted = costs([("PutItem", cost(1, units))]);
            assert_eq!(store.meter.read(), wanted, "changeset {last}");
        }
    }
}

/// S/4 read units for a head that is unknown: the newest changeset.
#[tokio::test]
async fn a_head_without_local_indexes_is_the_newest_changeset() {
    let store = metered_on::<WithoutLocalIndexes>().await;
    for (kilobytes, units) in [(1, 1.0), (10, 3.0), (396, 99.0)] {
        let stream = format!("s{kilobytes}");
        commit(&store.storage, &stream, 0, 1).await;
        commit(&store.storage, &stream, 1, kilobytes).await;
        let other = open(&store.config).await;
        store.meter.read();
        commit(&other, &stream, 2, 1).await;
        let wanted = costs([("Query", cost(1, units)), ("PutItem", cost(1, 1.0))]);
        assert_eq!(store.meter.read(), wanted, "{kilobytes} KB");
        let id = stream.parse().unwrap();
        let other = open(&store.config).await;
        store.meter.read();
        other.head(&id).await.unwrap();
        assert_eq!(store.meter.read()["Query"], cost(1, 1.0), "{kilobytes} KB");
    }
}

/// Without local indexes: the newest changeset, and one changeset for each end of the range where
/// changesets have equally many events.
#[tokio::test]
async fn a_range_of_events_without_local_indexes_reads_three_changesets() {
    let store = metered_on::<WithoutLocalIndexes>().await;
    for last in 0..20 {
        commit(&store.storage, "s", last, 10).await;
    }
    let query = |range| StreamQuery::all("s".parse().unwrap()).range(range);
    let other = open(&store.config).await;
    store.meter.read();
    let by_event = query(StreamRange::Events(5..=8));
    let page = other.read_stream(&by_event).await.unwrap();
    assert_eq!(page.items.len(), 4);
    let wanted = costs([("Query", cost(4, 3.0 + 2.0 * 3.0 + 10.0))]);
    assert_eq!(store.meter.read(), wanted);
    // Who continues after a known end needs no search.
    let rest = query(StreamRange::Events(18..=u64::MAX));
    let page = store.storage.read_stream(&rest).await.unwrap();
    assert_eq!(page.items.len(), 3);
    assert_eq!(store.meter.read(), costs([("Query", cost(1, 8.0))]));
}
