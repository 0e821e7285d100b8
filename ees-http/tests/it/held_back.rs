//! Refusals that are held back: who asks again at once for a large answer does so once a second.
//!
//! The clock of these tests passes by itself when nothing else happens.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use ees_core::EventStore;
use ees_http::{Options, self_hosted_router};
use ees_memory::MemoryStorage;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::support::{Answer, get, patient, post};

const LARGE: &str = "/streams/large/changesets";

/// How long a refusal is held back.
const PAUSE: Duration = Duration::from_secs(1);

/// A router with room for one large answer, and that answer, which nobody takes.
async fn pressed(mut options: Options) -> (Router, Response) {
    options.max_answer_bytes = 500_000;
    let store = EventStore::new(Arc::new(MemoryStorage::new()));
    let router = self_hosted_router(store, options);
    let body = format!(r#"{{"events":["{}"]}}"#, "x".repeat(300_000));
    assert_eq!(post(&router, "/streams/large", body).await.status, 200);
    let read = Request::get(LARGE).body(Body::empty()).unwrap();
    let kept = router.clone().oneshot(read).await.unwrap();
    assert_eq!(kept.status(), StatusCode::OK);
    (router, kept)
}

/// Asks for a large answer, and lets the request get as far as it does without time.
async fn ask(router: &Router) -> JoinHandle<Answer> {
    let router = router.clone();
    let asking = tokio::spawn(async move { get(&router, LARGE).await });
    for _ in 0..20 {
        yield_now().await;
    }
    asking
}

#[tokio::test(start_paused = true)]
async fn a_large_answer_is_refused_after_a_pause() {
    let (router, kept) = pressed(patient()).await;
    let begun = Instant::now();
    let refused = get(&router, LARGE).await;
    assert_eq!(refused.error(), "OVERLOADED");
    assert_eq!(begun.elapsed(), PAUSE);
    drop(kept);
    assert_eq!(get(&router, LARGE).await.status, StatusCode::OK);
    assert_eq!(begun.elapsed(), PAUSE, "an answer is not held back");
}

/// Who waits for his refusal is in nobody's way.
#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_held_back_takes_no_place() {
    let mut one = patient();
    one.max_requests = 1;
    let (router, _kept) = pressed(one).await;
    let begun = Instant::now();
    let refused = ask(&router).await;
    assert!(!refused.is_finished());
    assert_eq!(get(&router, "/version").await.status, StatusCode::OK);
    assert_eq!(get(&router, "/streams/large").await.status, StatusCode::OK);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(refused.await.unwrap().error(), "OVERLOADED");
}

#[tokio::test(start_paused = true)]
async fn no_more_refusals_are_held_back_than_long_polls_may_wait() {
    let mut one = patient();
    one.max_waiting = 1;
    let (router, _kept) = pressed(one).await;
    let begun = Instant::now();
    let first = ask(&router).await;
    assert_eq!(get(&router, LARGE).await.error(), "OVERLOADED");
    assert_eq!(begun.elapsed(), Duration::ZERO, "at once");
    assert!(!first.is_finished());
    first.abort();
    assert!(first.await.is_err());
    assert_eq!(get(&router, LARGE).await.error(), "OVERLOADED");
    assert_eq!(begun.elapsed(), PAUSE, "its place is free");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_no_refusal() {
    let options = patient();
    let closing = options.closing.clone();
    let (router, _kept) = pressed(options).await;
    let begun = Instant::now();
    let refused = ask(&router).await;
    assert!(!refused.is_finished());
    closing.cancel();
    assert_eq!(refused.await.unwrap().error(), "OVERLOADED");
    assert_eq!(get(&router, LARGE).await.error(), "OVERLOADED");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
