//! The sweep: a table that takes more than one run.

use ees_core::adapter::Index;
use serde_json::json;

use crate::test_store::{TestStore, metric};

/// A scan's page has 1 MB.
async fn large(store: &TestStore) -> u64 {
    let events = format!("[\"{}\"]", "x".repeat(390_000));
    for last in 0..8 {
        store.commit_events("large", last, &events).await;
    }
    8
}

#[tokio::test]
async fn a_sweep_goes_on_where_the_last_run_had_no_more_time() {
    let store = TestStore::new().await;
    let changesets = large(&store).await;
    let pages = store.pages().await;
    assert!(pages.len() > 2, "{} pages", pages.len());
    // A run that had time for one page, and one that had none.
    store
        .storage
        .save_sweep_cursor(pages[0].as_ref())
        .await
        .unwrap();
    let hurried = store.hurried("sweep");
    let none = json!({"done": false, "pages": 0, "found": 0});
    assert_eq!(hurried.invoke(&json!({})).await, Ok(none));
    assert_eq!(store.storage.sweep_cursor().await.unwrap(), pages[0]);

    let sweep = store.function("sweep");
    let rest = sweep.invoke(&json!({"continue": true})).await.unwrap();
    assert_eq!(
        (&rest["done"], &rest["pages"]),
        (&json!(true), &json!(pages.len() - 1))
    );
    assert_eq!(store.storage.sweep_cursor().await.unwrap(), None);
    let found = rest["found"].as_u64().unwrap();
    assert!((1..changesets).contains(&found), "{found}");
    // What stands before them in their stream was indexed with them. The next one begins anew,
    // unless it is only to go on.
    assert_eq!(store.order().await.len() as u64, changesets);
    let nothing_left = sweep.invoke(&json!({"continue": true})).await;
    let none = json!({"done": true, "pages": 0, "found": 0});
    assert_eq!(nothing_left, Ok(none));
    let next = sweep.invoke(&json!({})).await;
    assert_eq!(
        next,
        Ok(json!({"done": true, "pages": pages.len(), "found": 0}))
    );
    assert_eq!(metric(&sweep, "UnindexedChangesets"), [0; 3]);
}

#[tokio::test]
async fn what_was_committed_a_moment_ago_is_not_lost() {
    let store = TestStore::new().await;
    store.commit("fresh", 0).await;
    let years_ago = "2021-01-05T13:15:30.5Z".parse().unwrap();
    store.commit_at(years_ago, "old", 0, "[1]").await;
    let sweep = store.function("sweep");
    let swept = sweep.invoke(&json!({})).await;
    assert_eq!(swept, Ok(json!({"done": true, "pages": 1, "found": 2})));
    assert_eq!(store.order().await.len(), 2);
    assert_eq!(metric(&sweep, "UnindexedChangesets"), [1]);
    assert_eq!(metric(&sweep, "RefusedChangesets"), [0]);
}

#[tokio::test]
async fn what_can_have_no_position_is_told_by_every_sweep() {
    let store = TestStore::new().await;
    store.commit("bad", 0).await;
    store.commit("bad", 1).await;
    store.spoil("bad", 1).await;
    let sweep = store.function("sweep");
    for _ in 0..2 {
        sweep.invoke(&json!({})).await.unwrap();
    }
    // The item, and that another waits for it.
    assert_eq!(metric(&sweep, "RefusedChangesets"), [2, 2]);
}

/// A scheduled sweep costs nothing while the table and its index have equally many items, unless the
/// last sweep was long ago.
#[tokio::test]
async fn a_scheduled_sweep_reads_nothing_where_the_counts_agree() {
    let store = TestStore::new().await;
    let sweep = store.function("sweep");
    let scheduled = json!({"source": "aws.events", "detail-type": "Scheduled Event"});
    let pages = async || sweep.invoke(&scheduled).await.unwrap()["pages"].clone();
    assert_eq!(pages().await, 1, "the first sweep");
    assert_eq!(pages().await, 0, "an empty table has nothing to find");
    store.commit("s", 0).await;
    assert_eq!(pages().await, 1, "a changeset has no position");
    assert_eq!(store.order().await.len(), 1);
    assert_eq!(pages().await, 0, "every changeset has one");
    let by_hand = sweep.invoke(&json!({})).await.unwrap();
    assert_eq!(by_hand["pages"], 1, "a sweep by hand");
    let long_ago = "2021-01-05T13:15:30.5Z".parse().unwrap();
    store.storage.save_sweep(long_ago).await.unwrap();
    assert_eq!(pages().await, 1, "counts may agree by chance");
}
