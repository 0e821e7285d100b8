//! Too much at once, and the way down.

use std::time::Instant;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ees_http::{router, self_hosted_router};
use futures_util::{StreamExt, stream};
use tower::ServiceExt;

use crate::support::{Fault, Faulty, call, get, logged, options, patient, post};

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

#[tokio::test(start_paused = true)]
async fn too_many_requests_are_told_to_come_back() {
    let storage = Faulty::new();
    storage.set(Fault::Silent);
    let mut few = patient();
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

/// Who is turned away is told all that any 503 tells.
#[tokio::test]
async fn a_refused_commit_names_its_stream_and_its_key() {
    let storage = Faulty::new();
    let mut none = patient();
    none.max_requests = 0;
    let router = self_hosted_router(storage.store(), none);
    let refused = post(&router, "/streams/a%20b", "{}").await;
    assert_eq!(refused.error(), "OVERLOADED");
    assert_eq!(refused.body["stream_id"], "a b");
    assert!(refused.body["idempotency_key"].is_string());
    let keyed = Request::post("/streams/s").header("idempotency-key", "mine");
    let keyed = call(&router, keyed.body(Body::empty()).unwrap()).await;
    assert_eq!(keyed.body["idempotency_key"], "mine");
    let read = get(&router, "/streams/s/events").await;
    assert_eq!(read.body["stream_id"], "s");
    assert!(read.body.get("idempotency_key").is_none());
    assert!(
        get(&router, "/version")
            .await
            .body
            .get("stream_id")
            .is_none()
    );
}

/// An answer that nobody takes keeps nobody out.
#[tokio::test]
async fn an_answer_keeps_no_place() {
    let storage = Faulty::new();
    let mut one = patient();
    one.max_requests = 1;
    let router = self_hosted_router(storage.store(), one);
    for path in ["/streams/s", "/changesets?limit=x", "/version?pp=true"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let untaken = router.clone().oneshot(request).await.unwrap();
        assert_eq!(
            get(&router, "/version").await.status,
            StatusCode::OK,
            "{path}"
        );
        drop(untaken);
    }
}

/// Pages that never come leave a place to commits and to reads of one thing.
#[tokio::test(start_paused = true)]
async fn reads_of_pages_leave_places_to_small_requests() {
    let storage = Faulty::new();
    storage.set(Fault::Silent);
    let mut eight = patient();
    eight.max_requests = 8;
    let router = self_hosted_router(storage.store(), eight);
    let pages: Vec<_> = (0..7).map(|_| hang(&router, "/changesets")).collect();
    settle().await;
    for page in ["/changesets", "/events", "/streams/s/events"] {
        assert_eq!(get(&router, page).await.error(), "OVERLOADED", "{page}");
    }
    storage.set(Fault::None);
    let large = format!(r#"{{"events":["{}"]}}"#, "x".repeat(90_000));
    let large = post(&router, "/streams/s", large).await;
    assert_eq!(large.error(), "OVERLOADED");
    let small = post(&router, "/streams/s", r#"{"events":[1]}"#).await;
    assert_eq!(small.status, StatusCode::OK);
    assert_eq!(get(&router, "/streams/s").await.status, StatusCode::OK);
    pages.iter().for_each(tokio::task::JoinHandle::abort);
}

/// However many long polls a commit wakes, so many read at once and no more.
#[tokio::test]
async fn long_polls_take_turns_to_read() {
    let storage = Faulty::new();
    let mut one = patient();
    one.max_requests = 1;
    let router = self_hosted_router(storage.store(), one);
    let poll = |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        tokio::spawn(router.clone().oneshot(request))
    };
    let asleep = [poll("/changesets?wait=20"), poll("/events?wait=20")];
    settle().await;
    let written = post(&router, "/streams/s", r#"{"events":[1]}"#).await;
    assert_eq!(
        written.status,
        StatusCode::OK,
        "who sleeps is in nobody's way"
    );
    for poll in asleep {
        assert_eq!(poll.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    storage.set(Fault::Silent);
    let reading = poll("/changesets?wait=20");
    settle().await;
    storage.set(Fault::None);
    let next = poll("/changesets?checkpoint=0&wait=1");
    settle().await;
    assert!(!next.is_finished());
    assert_eq!(get(&router, "/version").await.status, StatusCode::OK);
    reading.abort();
    assert_eq!(next.await.unwrap().unwrap().status(), StatusCode::OK);
}

/// A HEAD that waits is a long poll, too.
#[tokio::test]
async fn a_head_that_waits_keeps_nobody_out() {
    let storage = Faulty::new();
    let mut one = patient();
    one.max_requests = 1;
    let router = self_hosted_router(storage.store(), one);
    let request = Request::head("/changesets?wait=20");
    let waiting = tokio::spawn(router.clone().oneshot(request.body(Body::empty()).unwrap()));
    settle().await;
    assert!(!waiting.is_finished());
    assert_eq!(get(&router, "/version").await.status, StatusCode::OK);
    waiting.abort();
}

/// Bodies that are on their way keep nobody out.
#[tokio::test]
async fn half_a_commit_takes_no_place() {
    let storage = Faulty::new();
    let mut one = patient();
    one.max_requests = 1;
    let router = self_hosted_router(storage.store(), one);
    let half = stream::iter([Ok::<_, std::io::Error>("{")]).chain(stream::pending());
    let slow = {
        let router = router.clone();
        tokio::spawn(async move { post(&router, "/streams/s", Body::from_stream(half)).await })
    };
    settle().await;
    let other = post(&router, "/streams/t", r#"{"events":[1]}"#).await;
    assert_eq!(other.status, StatusCode::OK);
    assert!(!slow.is_finished());
    slow.abort();
}

/// However many are turned away, the log has a line a second for it.
#[tokio::test]
async fn overload_does_not_flood_the_log() {
    let storage = Faulty::new();
    let mut none = patient();
    none.max_requests = 0;
    let router = self_hosted_router(storage.store(), none);
    logged();
    let begun = Instant::now();
    for _ in 0..100 {
        get(&router, "/version").await;
    }
    let most = begun.elapsed().as_secs() + 1;
    let told = logged();
    assert!((1..=most).contains(&(told.len() as u64)), "{told:?}");
    assert_eq!(told[0], tracing::Level::WARN);
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
    assert_eq!(refused.body["stream_id"], "s");
    assert!(refused.body["idempotency_key"].is_string());
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
    let options = patient();
    let closing = options.closing.clone();
    let router = self_hosted_router(storage.store(), options);
    let polls = ["/changesets?wait=20", "/events?wait=20"].map(|path| {
        let router = router.clone();
        tokio::spawn(async move { get(&router, path).await })
    });
    settle().await;
    closing.cancel();
    for poll in polls {
        // The store's clock stands still, so that nothing else ends it.
        assert_eq!(poll.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(
        get(&router, "/health/ready").await.error(),
        "STORAGE_UNAVAILABLE"
    );
    assert_eq!(get(&router, "/changesets").await.status, StatusCode::OK);
}
