//! Too much at once, and the way down.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use ees_http::{Options, router, self_hosted_router};
use futures_util::stream;

use crate::support::{Fault, Faulty, get, options, post};

/// Starts a request that the storage never answers, and lets it get there.
fn hang(router: &axum::Router, path: &'static str) -> tokio::task::JoinHandle<StatusCode> {
    let router = router.clone();
    tokio::spawn(async move { get(&router, path).await.status })
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn too_many_requests_are_told_to_come_back() {
    let storage = Faulty::new();
    storage.set(Fault::Silent);
    let mut few = Options::default();
    few.max_requests = 2;
    few.max_waiting = 1;
    let router = self_hosted_router(storage.store(), few);
    let running = [hang(&router, "/streams/a"), hang(&router, "/streams/b")];
    settle().await;
    let refused = get(&router, "/streams/c").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.error(), "OVERLOADED");
    assert_eq!(refused.body["outcome"], "none");
    assert_eq!(refused.headers["retry-after"], "1");
    // Long polls have room of their own, and a supervisor always gets its answer.
    let waiting = hang(&router, "/changesets?wait=20");
    settle().await;
    assert!(!waiting.is_finished());
    assert_eq!(get(&router, "/events?wait=1").await.error(), "OVERLOADED");
    assert_eq!(get(&router, "/health/live").await.status, StatusCode::OK);
    // Whoever goes away makes room.
    running.iter().for_each(tokio::task::JoinHandle::abort);
    settle().await;
    storage.set(Fault::None);
    assert_eq!(get(&router, "/streams/c").await.error(), "STREAM_NOT_FOUND");
}

#[tokio::test]
async fn too_many_bytes_at_once_are_refused_and_nothing_is_written() {
    let storage = Faulty::new();
    let mut few = options();
    few.max_buffered_bytes = 1000;
    let router = router(storage.store(), few);
    let body = format!(r#"{{"events":["{}"]}}"#, "x".repeat(2000));
    let refused = post(&router, "/streams/s", body).await;
    assert_eq!(refused.error(), "OVERLOADED");
    assert_eq!(
        post(&router, "/streams/s", r#"{"events":[1]}"#)
            .await
            .status,
        StatusCode::OK
    );
}

/// The sizes are told, with and without a length in advance, and what is too much is not kept.
#[tokio::test]
async fn a_body_beyond_the_limit_is_told_both_sizes() {
    let storage = Faulty::new();
    let router = router(storage.store(), options());
    let limit = 100_000 + 64 * 1024;
    let chunk = "x".repeat(10_000);
    let announced = post(&router, "/streams/s", "x".repeat(limit + 1)).await;
    let chunks = stream::iter((0..20).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let chunked = post(&router, "/streams/s", Body::from_stream(chunks)).await;
    for (answer, size) in [(announced, limit + 1), (chunked, 200_000)] {
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.error(), "CHANGESET_TOO_LARGE");
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.contains(&size.to_string()), "{message}");
        assert!(message.contains(&limit.to_string()), "{message}");
    }
    let over = format!(r#"{{"events":["{}"]}}"#, "x".repeat(100_000));
    let answer = post(&router, "/streams/s", over).await;
    assert_eq!(answer.error(), "CHANGESET_TOO_LARGE");
    let message = answer.body["message"].as_str().unwrap();
    assert!(
        message.contains("100006") && message.contains("100000"),
        "{message}"
    );
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let storage = Faulty::new();
    let router = router(storage.store(), options());
    let never = stream::pending::<Result<&str, std::io::Error>>();
    let answer = post(&router, "/streams/s", Body::from_stream(never)).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(answer.error(), "REQUEST_TIMEOUT");
}

#[tokio::test]
async fn health_is_the_own_servers_alone() {
    let storage = Faulty::new();
    let everywhere = router(storage.store(), options());
    assert_eq!(
        get(&everywhere, "/health/live").await.error(),
        "INVALID_ENDPOINT"
    );
}

/// A shutdown ends long polls with an empty page, and the server is ready for nothing more.
#[tokio::test]
async fn closing_ends_long_polls() {
    let storage = Faulty::new();
    let mut patient = Options::default();
    patient.request_timeout = Duration::from_secs(30);
    let closing = patient.closing.clone();
    let router = self_hosted_router(storage.store(), patient);
    let polls = ["/changesets?wait=20", "/events?wait=20"].map(|path| {
        let router = router.clone();
        tokio::spawn(async move { get(&router, path).await })
    });
    settle().await;
    closing.cancel();
    for poll in polls {
        let ended = tokio::time::timeout(Duration::from_secs(10), poll).await;
        let answer = ended
            .expect("the poll ends long before its 20 seconds")
            .unwrap();
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(
        get(&router, "/health/ready").await.error(),
        "STORAGE_UNAVAILABLE"
    );
    assert_eq!(get(&router, "/changesets").await.status, StatusCode::OK);
}
