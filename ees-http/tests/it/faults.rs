//! A storage that fails.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ees_core::adapter::Fence;
use ees_core::{EventStore, StorageError, Written};
use ees_http::self_hosted_router;
use ees_memory::MemoryStorage;

use crate::support::{Answer, Fault, Faulty, call, get, patient, post, router};

const BODY: &str = r#"{"events":[1]}"#;

fn throttled(written: Written) -> StorageError {
    StorageError::Unavailable {
        reason: "it throttles".to_owned(),
        written,
        retry_after: Duration::from_secs(7),
        source: None,
    }
}

/// Every call that asks the storage.
const READS: [&str; 7] = [
    "/streams/s",
    "/streams/s/changesets",
    "/streams/s/events",
    "/changesets",
    "/changesets?checkpoint=head",
    "/events",
    "/health/ready",
];

#[tokio::test]
async fn an_unavailable_storage_is_a_503_that_says_when_to_come_back() {
    let storage = Faulty::new();
    storage.set(Fault::Before(throttled(Written::None)));
    let router = router(&storage);
    for path in READS {
        let answer = get(&router, path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.error(), "STORAGE_UNAVAILABLE", "{path}");
        assert_eq!(answer.headers["retry-after"], "7", "{path}");
        assert_eq!(answer.body["outcome"], "none", "{path}");
    }
    storage.set(Fault::None);
    assert_eq!(get(&router, "/changesets").await.status, StatusCode::OK);
}

/// G10: a commit whose answer was lost names the key that makes its repeat safe.
#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again() {
    let storage = Faulty::new();
    let router = router(&storage);
    storage.set(Fault::After(throttled(Written::Unknown)));
    let lost = post(&router, "/streams/s", BODY).await;
    assert_eq!(lost.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(lost.body["outcome"], "unknown");
    assert_eq!(lost.body["stream_id"], "s");
    let key = lost.body["idempotency_key"].as_str().unwrap().to_owned();

    storage.set(Fault::None);
    let again = repeat(&router, &key).await;
    assert_eq!(
        (again.status, &again.body["changeset_id"]),
        (StatusCode::OK, &1.into())
    );
    let stands = get(&router, "/streams/s").await;
    assert_eq!(stands.body["last_changeset"], 1, "G10: no second changeset");
    let conflict = post(&router, "/streams/s", BODY).await;
    assert_eq!(
        conflict.status,
        StatusCode::CONFLICT,
        "another key is another commit"
    );
}

async fn repeat(router: &axum::Router, key: &str) -> Answer {
    let request = Request::post("/streams/s").header("idempotency-key", key);
    call(router, request.body(Body::from(BODY)).unwrap()).await
}

/// A given key is named as it was given; reads have none.
#[tokio::test]
async fn the_key_to_repeat_with_is_the_one_that_was_used() {
    let storage = Faulty::new();
    storage.set(Fault::Before(throttled(Written::None)));
    let router = router(&storage);
    let answer = repeat(&router, "mine").await;
    assert_eq!(answer.body["idempotency_key"], "mine");
    assert_eq!(answer.body["outcome"], "none");
    let read = get(&router, "/streams/s").await;
    assert!(read.body.get("idempotency_key").is_none());
}

#[tokio::test]
async fn a_storage_that_does_not_answer_is_not_waited_for() {
    let storage = Faulty::new();
    storage.set(Fault::Silent);
    let router = router(&storage);
    for path in &READS[..6] {
        let answer = get(&router, path).await;
        assert_eq!(answer.error(), "STORAGE_UNAVAILABLE", "{path}");
        assert_eq!(answer.body["outcome"], "none", "{path}");
    }
    let answer = post(&router, "/streams/s", BODY).await;
    assert_eq!(answer.error(), "STORAGE_UNAVAILABLE");
    assert_eq!(answer.body["outcome"], "unknown", "it may still be written");
    assert!(answer.body["idempotency_key"].is_string());
}

/// A defect tells a request id and nothing of what lies behind it.
#[tokio::test]
async fn a_defect_is_a_500_with_a_request_id() {
    let storage = Faulty::new();
    let router = router(&storage);
    let secret = "column 7 of /secret/path";
    let faults = [
        Fault::Before(StorageError::Corrupt(secret.to_owned())),
        Fault::Before(StorageError::Backend(Arc::new(std::io::Error::other(
            secret,
        )))),
        Fault::Panic,
    ];
    for fault in faults {
        storage.set(fault.clone());
        let answer = get(&router, "/streams/s").await;
        assert_eq!(
            answer.status,
            StatusCode::INTERNAL_SERVER_ERROR,
            "{fault:?}"
        );
        assert_eq!(answer.error(), "INTERNAL", "{fault:?}");
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert_eq!(answer.body["request_id"], id, "{fault:?}");
        assert!(!answer.body.to_string().contains("secret"), "{fault:?}");
    }
    storage.set(Fault::None);
    assert_eq!(get(&router, "/changesets").await.status, StatusCode::OK);
}

#[tokio::test]
async fn live_is_not_ready() {
    let storage = Faulty::new();
    storage.set(Fault::Before(throttled(Written::None)));
    let router = router(&storage);
    assert_eq!(get(&router, "/health/live").await.body["status"], "live");
    let ready = get(&router, "/health/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    storage.set(Fault::None);
    assert_eq!(get(&router, "/health/ready").await.body["status"], "ready");
}

/// G14: commits to a store that has moved are told the new address; reads go on.
#[tokio::test]
async fn a_store_that_has_moved_takes_no_commits() {
    let storage = Arc::new(MemoryStorage::new());
    let store = EventStore::new(Arc::clone(&storage));
    let router = self_hosted_router(store, patient());
    assert_eq!(
        post(&router, "/streams/s", BODY).await.status,
        StatusCode::OK
    );
    storage.fence("https://new.example").await.unwrap();
    let set = r#"{"commits":[{"stream_id":"t","events":[1],"expected_last_changeset":0}]}"#;
    for (path, body) in [
        ("/streams/s?expected_last_changeset=1", BODY),
        ("/streams/t", BODY),
        ("/commits", set),
    ] {
        let answer = post(&router, path, body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.error(), "STORE_FENCED", "{path}");
        assert_eq!(answer.body["outcome"], "none", "{path}");
        let message = answer.message();
        assert!(message.contains("https://new.example"), "{message}");
        assert!(!answer.headers.contains_key("retry-after"), "{path}");
    }
    for path in READS {
        assert_eq!(get(&router, path).await.status, StatusCode::OK, "{path}");
    }
    storage.lift_fence().await.unwrap();
    assert_eq!(post(&router, "/commits", set).await.status, StatusCode::OK);
}
