//! Event streams: too many of them, readers that are behind, a storage that fails, the way down.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, Response, StatusCode};
use ees_core::{StorageError, Written};
use ees_http::self_hosted_router;
use futures_util::StreamExt;
use tower::ServiceExt;

use crate::support::{Fault, Faulty, call, get, patient, post};

fn asked(path: &str) -> Request<Body> {
    let request = Request::get(path).header("accept", "text/event-stream");
    request.body(Body::empty()).unwrap()
}

async fn open(router: &Router, path: &str) -> Response<Body> {
    let response = router.clone().oneshot(asked(path)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(response.headers().contains_key("x-request-id"));
    response
}

/// The text of a stream up to the end of an event, or to its own end.
async fn next(body: &mut BodyDataStream) -> String {
    let mut text = String::new();
    while let Some(chunk) = body.next().await {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        if text.contains("data: ") {
            break;
        }
    }
    text
}

#[tokio::test]
async fn too_many_streams_are_told_to_come_back() {
    let storage = Faulty::new();
    let mut one = patient();
    one.max_event_streams = 1;
    let router = self_hosted_router(storage.store(), one);
    let first = open(&router, "/changesets").await;
    let refused = call(&router, asked("/events")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.error(), "OVERLOADED");
    assert_eq!(refused.headers["retry-after"], "1");
    // Others have room of their own.
    assert_eq!(get(&router, "/changesets").await.status, StatusCode::OK);
    drop(first);
    open(&router, "/events").await;
}

/// The number of changesets of [`behind`]: some pages of an event stream.
const MANY: usize = 700;

/// A storage with changesets of a kilobyte each.
async fn behind() -> Arc<Faulty> {
    let storage = Faulty::new();
    let router = self_hosted_router(storage.store(), patient());
    let body = format!(r#"{{"events":["{}"]}}"#, "x".repeat(1000));
    for number in 0..MANY {
        let stream = format!("/streams/{number}");
        let committed = post(&router, &stream, body.clone()).await;
        assert_eq!(committed.status, StatusCode::OK);
    }
    storage
}

/// Asserts that a stream sends the changesets from one on, each once.
async fn assert_sent(stream: &mut BodyDataStream, first: usize) {
    let mut ids = Vec::new();
    while ids.len() < MANY - first {
        let text = next(stream).await;
        let lines = text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.extend(lines.map(|id| id.parse::<usize>().unwrap()));
    }
    assert_eq!(ids, (first..MANY).collect::<Vec<_>>());
}

/// The next page is read while one is written and taken, at once or later, with room for it or without.
#[tokio::test]
async fn a_reader_that_is_behind_gets_everything_once() {
    let storage = behind().await;
    for fault in [Fault::None, Fault::Later] {
        for room in [200_000, 100_000_000] {
            storage.set(fault.clone());
            let mut options = patient();
            options.max_answer_bytes = room;
            let router = self_hosted_router(storage.store(), options);
            let stream = open(&router, "/changesets").await;
            assert_sent(&mut stream.into_body().into_data_stream(), 0).await;
        }
    }
}

/// A read ahead that fails is no failure of the stream: the page is read again when its turn has come.
#[tokio::test]
async fn what_was_read_ahead_in_vain_is_read_again() {
    let storage = behind().await;
    let router = self_hosted_router(storage.store(), patient());
    let stream = open(&router, "/changesets").await;
    let mut stream = stream.into_body().into_data_stream();
    let gone = StorageError::unavailable("gone", Written::None);
    storage.set(Fault::Before(gone));
    let before = storage.calls();
    let first = next(&mut stream).await;
    assert_eq!(storage.calls(), before + 1, "a page is read ahead");
    storage.set(Fault::None);
    assert_sent(&mut stream, first.matches("\nid: ").count()).await;
}

/// A page that was read ahead waits for its client, and others read meanwhile.
#[tokio::test]
async fn a_reader_that_takes_nothing_keeps_nobody_from_reading() {
    let storage = behind().await;
    storage.set(Fault::Later);
    let mut one = patient();
    one.max_requests = 1;
    let router = self_hosted_router(storage.store(), one);
    let slow = open(&router, "/changesets").await;
    let mut slow = slow.into_body().into_data_stream();
    let before = storage.calls();
    next(&mut slow).await;
    storage.called_more_than(before).await;
    let other = async {
        let stream = open(&router, "/changesets").await;
        assert_sent(&mut stream.into_body().into_data_stream(), 0).await;
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), other).await;
    waited.expect("the turn of the slow reader is free");
}

/// As on AWS Lambda, which sends answers whole.
#[tokio::test]
async fn a_host_without_streams_says_so() {
    let storage = Faulty::new();
    let mut none = patient();
    none.max_event_streams = 0;
    let router = self_hosted_router(storage.store(), none);
    for path in ["/changesets", "/events"] {
        let refused = call(&router, asked(path)).await;
        assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
        assert_eq!(refused.error(), "NOT_ACCEPTABLE");
        assert!(refused.message().contains("wait=20"));
    }
}

#[tokio::test]
async fn a_shutdown_ends_streams() {
    let storage = Faulty::new();
    let options = patient();
    let closing = options.closing.clone();
    let router = self_hosted_router(storage.store(), options);
    post(&router, "/streams/s", r#"{"events":[1]}"#).await;
    let mut stream = open(&router, "/changesets")
        .await
        .into_body()
        .into_data_stream();
    assert!(
        next(&mut stream)
            .await
            .starts_with("retry: 1000\n\nevent: changeset\nid: 0\n")
    );
    let mut waiting = open(&router, "/events?checkpoint=head")
        .await
        .into_body()
        .into_data_stream();
    closing.cancel();
    assert!(!next(&mut stream).await.contains("data: "));
    assert!(!next(&mut waiting).await.contains("data: "));
}

/// Whoever connects again learns what is wrong.
#[tokio::test]
async fn a_storage_that_fails_ends_streams() {
    let storage = Faulty::new();
    let router = self_hosted_router(storage.store(), patient());
    let mut stream = open(&router, "/changesets")
        .await
        .into_body()
        .into_data_stream();
    post(&router, "/streams/s", r#"{"events":[1]}"#).await;
    assert!(next(&mut stream).await.contains("id: 0\n"));
    storage.set(Fault::Before(StorageError::unavailable(
        "gone",
        Written::None,
    )));
    assert_eq!(next(&mut stream).await, "");
    let refused = call(&router, asked("/changesets")).await;
    assert_eq!(refused.error(), "STORAGE_UNAVAILABLE");
}
