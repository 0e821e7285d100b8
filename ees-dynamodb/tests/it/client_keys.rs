//! G10: markers of clients' keys: those that are missing, left behind, or beyond the end.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::{Commit, Outcome, Refusal, Storage};
use ees_core::{ChangesetId, CommitId};
use ees_dynamodb::{DynamoConfig, DynamoStorage};
use ees_dynamodb_testkit::Emulator;

use crate::order::admin;
use crate::store::{asked, commit, config, create, open, sdk};

const MARKER: &str = "ees:key:1:s:k";

struct Fixture {
    config: DynamoConfig,
    client: Client,
    storage: Arc<DynamoStorage>,
    _emulator: Emulator,
}

impl Fixture {
    async fn open() -> Self {
        let emulator = Emulator::start().expect("an emulator");
        let config = config(emulator.endpoint());
        create(&config).await;
        Self {
            client: Client::new(&sdk(&config).await),
            storage: open(&config).await,
            config,
            _emulator: emulator,
        }
    }

    /// Forgets a changeset, as a restore to an earlier time does.
    async fn forget(&self, id: u64) {
        let delete = self.client.delete_item();
        let delete = delete.table_name(&self.config.events_table);
        let delete = delete.key("stream_id", AttributeValue::S("s".to_owned()));
        let delete = delete.key("changeset_id", AttributeValue::N(id.to_string()));
        delete.send().await.unwrap();
    }

    async fn forget_marker(&self) {
        let delete = self.client.delete_item();
        let delete = delete.table_name(&self.config.analysis_table);
        let delete = delete.key("projection_id", AttributeValue::S(MARKER.to_owned()));
        delete.send().await.unwrap();
    }

    async fn mark(&self, id: u64) {
        let put = self.client.put_item();
        let put = put.table_name(&self.config.analysis_table);
        let put = put.item("projection_id", AttributeValue::S(MARKER.to_owned()));
        let put = put.item("changeset_id", AttributeValue::N(id.to_string()));
        put.send().await.unwrap();
    }

    async fn marker(&self) -> Option<String> {
        let get = self.client.get_item();
        let get = get.table_name(&self.config.analysis_table);
        let get = get.key("projection_id", AttributeValue::S(MARKER.to_owned()));
        let item = get.send().await.unwrap().item?;
        Some(item["changeset_id"].as_n().unwrap().clone())
    }

    /// Commits with the key behind a changeset. Returns the id of its changeset.
    async fn commit(&self, last: u64) -> u64 {
        match self.storage.commit(&keyed(last)).await.unwrap() {
            Outcome::Committed(receipt) => receipt.changeset_id.get(),
            Outcome::Refused(refusal) => panic!("{refusal:?}"),
        }
    }

    /// Commits with the key behind a changeset. Returns why that is refused.
    async fn refused(&self, last: u64) -> Refusal {
        match self.storage.commit(&keyed(last)).await.unwrap() {
            Outcome::Committed(receipt) => panic!("{receipt:?}"),
            Outcome::Refused(refusal) => refusal,
        }
    }
}

fn keyed(last: u64) -> Commit {
    Commit {
        commit_id: CommitId::new("k").unwrap(),
        ..asked("s", last)
    }
}

fn stands(id: u64) -> Refusal {
    Refusal::KeyStands(ChangesetId::new(id).unwrap())
}

/// Keys of older versions have no marker until it is rebuilt. Of several the first counts.
#[tokio::test]
async fn markers_that_are_missing_are_rebuilt() {
    let store = Fixture::open().await;
    commit(&store.storage, "s", 0).await;
    assert_eq!(store.commit(1).await, 2);
    assert_eq!(store.marker().await.as_deref(), Some("2"));
    store.forget_marker().await;
    assert_eq!(store.commit(2).await, 3, "the older rule");
    let rebuilt = admin(&store.config).await.rebuild_keys().await.unwrap();
    assert_eq!((rebuilt.changesets, rebuilt.with_key), (3, 2));
    assert_eq!(store.marker().await.as_deref(), Some("2"), "the first");
    for last in [0, 1, 2, 3, 9] {
        assert_eq!(store.refused(last).await, stands(2), "behind {last}");
    }
    let again = admin(&store.config).await.rebuild_keys().await.unwrap();
    assert_eq!((again.written, again.repeated), (0, 1));
}

/// The key of a refused put is compared with the changeset that stands there.
#[tokio::test]
async fn a_key_without_a_marker_is_found_at_its_place() {
    let store = Fixture::open().await;
    assert_eq!(store.commit(0).await, 1);
    store.forget_marker().await;
    assert_eq!(store.refused(0).await, stands(1));
    assert_eq!(store.marker().await.as_deref(), Some("1"));
}

/// A commit that stopped between marker and changeset leaves its marker at a place that another
/// commit takes.
#[tokio::test]
async fn a_marker_that_was_left_behind_is_moved() {
    let store = Fixture::open().await;
    commit(&store.storage, "s", 0).await;
    store.mark(2).await;
    assert_eq!(store.refused(0).await, Refusal::Outdated);
    assert!(matches!(store.refused(2).await, Refusal::Ahead(Some(_))));
    commit(&store.storage, "s", 1).await;
    assert_eq!(store.marker().await.as_deref(), Some("2"));
    assert_eq!(store.commit(2).await, 3);
    assert_eq!(store.marker().await.as_deref(), Some("3"));
}

/// The marker's own place is written to.
#[tokio::test]
async fn a_marker_of_an_empty_place_is_used() {
    let store = Fixture::open().await;
    commit(&store.storage, "s", 0).await;
    store.mark(2).await;
    assert_eq!(store.commit(1).await, 2);
    assert_eq!(store.refused(0).await, stands(2));
}

/// A restored events table ends before the markers of what it lost.
#[tokio::test]
async fn a_marker_beyond_the_end_of_a_restored_stream_is_moved() {
    let mut store = Fixture::open().await;
    for last in 0..4 {
        commit(&store.storage, "s", last).await;
    }
    assert_eq!(store.commit(4).await, 5);
    for id in 3..=5 {
        store.forget(id).await;
    }
    store.storage = open(&store.config).await;
    assert!(matches!(store.refused(4).await, Refusal::Ahead(Some(_))));
    assert_eq!(store.commit(2).await, 3);
    assert_eq!(store.marker().await.as_deref(), Some("3"));
    assert_eq!(store.refused(0).await, stands(3));
}
