//! The projector.

use ees_core::adapter::StatisticsStore;
use ees_core::indexer::Indexer;
use serde_json::json;

use crate::test_store::{TestStore, log};

#[tokio::test]
async fn what_is_committed_is_counted_when_there_is_time() {
    let store = TestStore::new().await;
    for (stream, last) in [("a", 0), ("b", 0), ("a", 1)] {
        store.commit(stream, last).await;
    }
    let mut indexer = Indexer::new(store.storage.clone());
    indexer.sweep_page(None).await.unwrap();
    let hurried = store.hurried("projector");
    let event = json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}});
    assert_eq!(hurried.invoke(&event).await, Ok(json!({"done": false})));
    let projector = store.function("projector");
    for _ in 0..2 {
        let counted = projector.invoke(&event).await;
        assert_eq!(counted, Ok(json!({"done": true, "version": 3})));
    }
    let counts = store.storage.load_statistics().await.unwrap();
    assert_eq!((counts.total_streams, counts.total_changesets), (2, 3));
    assert!(!log(&projector).is_empty());
}

#[tokio::test]
async fn without_dynamodb_it_fails() {
    let store = TestStore::new().await;
    let projector = store.function("projector");
    store.without_dynamodb();
    let failed = projector.invoke(&json!({})).await.unwrap_err().to_string();
    assert!(failed.starts_with("StorageUnavailable: "), "{failed}");
}
