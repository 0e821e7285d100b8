//! What DynamoDB tells beside what was asked for: how large a stream is, and what it left out.

use std::sync::Arc;

use ees_core::adapter::{Entry, Index, Outcome, Refusal, Storage};
use ees_core::{Error, EventStore, Events, Expectation, NewChangeset};
use ees_dynamodb_testkit::{Call, Plan};
use serde_json::{Value, json};

use crate::failing::behind;
use crate::order::key;
use crate::store::{asked, commit, open};

/// Tells that streams have this many GB.
struct Size(u64);

impl Plan for Size {
    fn end(&self, call: &Call, answer: &mut Value) {
        if call.asked["ReturnItemCollectionMetrics"] == "SIZE" {
            answer["ItemCollectionMetrics"]["SizeEstimateRangeGB"] = json!([self.0, self.0 + 1]);
        }
    }
}

/// Well before DynamoDB refuses a position, too; and what stands can be asked for again (G10).
#[tokio::test]
async fn a_stream_is_full_before_its_positions_are_refused() {
    let store = behind(Arc::new(Size(7))).await;
    for last in 0..3 {
        commit(&store.storage, "s", last).await;
    }
    let store = behind(Arc::new(Size(8))).await;
    let events = EventStore::new(Arc::clone(&store.storage));
    let asked = |last| {
        let array = Events::parse("[1]").unwrap();
        let expectation = Expectation::LastChangeset(last);
        let asked = NewChangeset::new("s".parse().unwrap(), expectation, array);
        asked.with_idempotency_key(format!("key {last}").parse().unwrap())
    };
    let first = events.commit(asked(0)).await.unwrap();
    for _ in 0..2 {
        let full = events.commit(asked(1)).await;
        assert!(
            matches!(full, Err(Error::StreamTooLarge { .. })),
            "{full:?}"
        );
        events.head(&"s".parse().unwrap()).await.unwrap();
    }
    for expectation in [0, 1, 9].map(Expectation::LastChangeset) {
        let again = NewChangeset {
            expectation,
            ..asked(0)
        };
        let mut again = events.commit(again).await.expect("G10: a key that stands");
        assert!(std::mem::take(&mut again.replayed), "G10");
        assert_eq!(again, first, "G10");
    }
    commit(&store.plain, "s", 1).await;
    let late = events.commit(asked(1)).await;
    assert!(
        matches!(late, Err(Error::Conflict(_))),
        "G2: first of all it is late"
    );
}

/// However many processes take turns, each learns it from one commit.
#[tokio::test]
async fn a_full_stream_takes_one_commit_of_each_process() {
    let store = behind(Arc::new(Size(8))).await;
    let other = open(&store.config).await;
    commit(&store.storage, "s", 0).await;
    commit(&other, "s", 1).await;
    for storage in [&store.storage, &other, &store.storage] {
        let full = storage.commit(&asked("s", 2)).await.unwrap();
        assert_eq!(full, Outcome::Refused(Refusal::Full));
    }
    commit(&other, "another", 0).await;
}

/// Answers a part of what was asked for, or nothing.
struct Partly(usize);

impl Plan for Partly {
    fn end(&self, call: &Call, answer: &mut Value) {
        if call.operation != "BatchGetItem" {
            return;
        }
        let asked = call.asked["RequestItems"].as_object().unwrap();
        let (table, asked) = asked.iter().next().unwrap();
        let mut rest = asked.clone();
        let keys = rest["Keys"].as_array_mut().unwrap();
        let found = answer["Responses"][table].as_array_mut().unwrap();
        found.truncate(self.0);
        let is_found = |key: &Value| {
            let same = |item: &&Value| {
                item["stream_id"] == key["stream_id"] && item["changeset_id"] == key["changeset_id"]
            };
            found.iter().find(same).is_some()
        };
        keys.retain(|key| !is_found(key));
        if !keys.is_empty() {
            answer["UnprocessedKeys"] = json!({ table: rest });
        }
    }
}

#[tokio::test]
async fn what_dynamodb_leaves_out_is_asked_for_again() {
    let store = behind(Arc::new(Partly(3))).await;
    for last in 0..10 {
        commit(&store.plain, "s", last).await;
    }
    let keys: Vec<_> = (1..=10).rev().map(|id| key("s", id)).collect();
    let found = store.storage.look_up(&keys).await.unwrap();
    assert_eq!(found, vec![Entry::Unindexed; 10]);
    let found = store.storage.fetch(&keys).await.unwrap();
    let ids: Vec<_> = found
        .iter()
        .flatten()
        .map(|c| c.changeset_id.get())
        .collect();
    assert_eq!(
        ids,
        (1..=10).rev().collect::<Vec<_>>(),
        "in the order of the keys"
    );

    let store = behind(Arc::new(Partly(0))).await;
    commit(&store.plain, "s", 0).await;
    let failed = store.storage.look_up(&[key("s", 1)]).await.unwrap_err();
    assert!(
        failed.to_string().contains("throttles BatchGetItem"),
        "{failed}"
    );
}
