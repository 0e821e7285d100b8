//! Event streams: too many of them, a storage that fails, the way down.

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
