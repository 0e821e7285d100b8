//! The sealer.

use ees_core::adapter::LogStore;
use ees_core::indexer::Indexer;
use ees_evidence::Log;
use serde_json::json;

use crate::test_store::{SECRET, TestStore};

#[tokio::test]
async fn what_is_indexed_is_sealed_when_there_is_time() {
    let store = TestStore::new().await;
    for (stream, last) in [("a", 0), ("b", 0), ("a", 1)] {
        store.commit(stream, last).await;
    }
    let mut indexer = Indexer::new(store.storage.clone());
    indexer.sweep_page(None).await.unwrap();
    let hurried = store.hurried("sealer");
    let event = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    assert_eq!(hurried.invoke(&event).await, Ok(json!({"done": false})));
    assert_eq!(store.storage.load_log_head().await.unwrap(), None);
    let sealer = store.function("sealer");
    for _ in 0..2 {
        let answer = sealer.invoke(&event).await;
        assert_eq!(answer, Ok(json!({"done": true, "size": 3})));
    }
    store.commit("b", 1).await;
    let answer = sealer.invoke(&event).await;
    assert_eq!(answer, Ok(json!({"done": true, "size": 3})), "not indexed");
    indexer.sweep_page(None).await.unwrap();
    let answer = sealer.invoke(&event).await;
    assert_eq!(answer, Ok(json!({"done": true, "size": 4})));
    let events = ees_core::EventStore::new(store.storage.clone());
    let log = Log::of(&events.with_log(store.storage.clone())).unwrap();
    assert_eq!(log.head().await.unwrap().unwrap().size, 4);
    assert!(sealer.log().contains("sealed"));
    assert!(!sealer.log().contains(SECRET));
}

#[tokio::test]
async fn without_dynamodb_it_fails() {
    let store = TestStore::new().await;
    let sealer = store.function("sealer");
    store.without_dynamodb();
    let failed = sealer.invoke(&json!({})).await.unwrap_err().to_string();
    assert!(failed.starts_with("StorageUnavailable: "), "{failed}");
}

/// A head that nobody can read is not replaced.
#[tokio::test]
async fn a_damaged_log_is_told() {
    let store = TestStore::new().await;
    let head = ees_core::adapter::StoredLogHead {
        revision: 1,
        document: "{}".to_owned(),
    };
    assert!(store.storage.seal(None, &head, &[]).await.unwrap());
    let sealer = store.function("sealer");
    let failed = sealer.invoke(&json!({})).await.unwrap_err().to_string();
    assert!(
        failed.starts_with("Log: the log cannot be sealed: "),
        "{failed}"
    );
    assert_eq!(store.storage.load_log_head().await.unwrap(), Some(head));
}
