//! The indexer: batches of the stream, good, poisoned and failing.

use serde_json::{Value, json};

use crate::stream::{batch, numbers};
use crate::test_store::{TestStore, log, metric};

fn nothing_again() -> Value {
    json!({"batchItemFailures": []})
}

#[tokio::test]
async fn what_is_committed_gets_its_place_once() {
    let store = TestStore::new().await;
    for (stream, last) in [("a", 0), ("b", 0), ("a", 1)] {
        store.commit(stream, last).await;
    }
    let function = store.function("indexer");
    let committed = batch(&store).await;
    let answer = function.invoke(&committed).await;
    assert_eq!(answer, Ok(nothing_again()));
    let order = store.order().await;
    assert_eq!(order.len(), 3, "{order:?}");
    assert!(order.iter().position(|at| at == "a/1") < order.iter().position(|at| at == "a/2"));
    // The same again, and what indexing itself has written.
    let with_positions = batch(&store).await;
    assert_eq!(numbers(&with_positions).len(), 6);
    assert_eq!(function.invoke(&with_positions).await, Ok(nothing_again()));
    assert_eq!(store.order().await, order);
    assert_eq!(metric(&function, "IndexedChangesets"), [3, 0]);
    assert_eq!(metric(&function, "RefusedChangesets"), [0, 0]);
    assert_eq!(metric(&function, "IndexLag").len(), 2);
    let line = &log(&function)[0];
    assert_eq!(line["Table"], "ees_db_shop");
    assert_eq!(
        line["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
        json!([["Table"]])
    );
}

#[tokio::test]
async fn the_lag_is_the_age_of_the_oldest_changeset() {
    let store = TestStore::new().await;
    store.commit("a", 0).await;
    store.commit("a", 1).await;
    let mut committed = batch(&store).await;
    committed["Records"][1]["dynamodb"]["NewImage"]["timestamp"]["S"] =
        json!("2021-01-05T13:15:30.500000Z");
    let function = store.function("indexer");
    function.invoke(&committed).await.unwrap();
    let years = metric(&function, "IndexLag")[0] / 1000 / 60 / 60 / 24 / 365;
    assert!(years >= 5, "{years} years");
}

#[tokio::test]
async fn a_poisoned_record_holds_back_its_own_stream_alone() {
    let store = TestStore::new().await;
    for (stream, last) in [("bad", 0), ("bad", 1), ("good", 0)] {
        store.commit(stream, last).await;
    }
    store.spoil("bad", 1).await;
    let mut committed = batch(&store).await;
    // One that no changeset can have.
    committed["Records"][1]["dynamodb"]["Keys"]["changeset_id"] = json!({"N": "0"});
    committed["Records"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({"eventName": "INSERT"}));
    let function = store.function("indexer");
    assert_eq!(function.invoke(&committed).await, Ok(nothing_again()));
    assert_eq!(store.order().await, ["good/1"]);
    assert_eq!(metric(&function, "RefusedChangesets"), [3]);
    let log = function.log();
    assert!(
        log.contains("changeset 1 of stream `bad` cannot be indexed"),
        "{log}"
    );
}

#[tokio::test]
async fn without_dynamodb_the_whole_batch_is_delivered_again() {
    let store = TestStore::new().await;
    store.commit("a", 0).await;
    store.commit("a", 1).await;
    let committed = batch(&store).await;
    let function = store.function("indexer");
    store.without_dynamodb();
    let again = json!({"batchItemFailures": [{"itemIdentifier": numbers(&committed)[0]}]});
    assert_eq!(function.invoke(&committed).await, Ok(again));
    assert_eq!(metric(&function, "IndexedChangesets"), [0]);
}

#[tokio::test]
async fn without_time_the_whole_batch_is_delivered_again() {
    let store = TestStore::new().await;
    store.commit("a", 0).await;
    let committed = batch(&store).await;
    let function = store.hurried("indexer");
    let again = json!({"batchItemFailures": [{"itemIdentifier": numbers(&committed)[0]}]});
    assert_eq!(function.invoke(&committed).await, Ok(again));
}

#[tokio::test]
async fn an_event_of_something_else_is_refused() {
    let store = TestStore::new().await;
    let function = store.function("indexer");
    let refused = function
        .invoke(&json!({"Record": "of something"}))
        .await
        .unwrap_err();
    let said = refused.to_string();
    assert!(
        said.contains("found an object with `Record`, expected a batch"),
        "{said}"
    );
}
