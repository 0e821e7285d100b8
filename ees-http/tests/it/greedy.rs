//! Clients that take more than their share.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use ees_core::EventStore;
use ees_http::{Options, self_hosted_router};
use ees_memory::MemoryStorage;
use futures_util::{StreamExt, stream};
use tower::ServiceExt;

use crate::support::{call, get, patient, post};

/// A router over a storage that takes changesets of the usual size.
fn router(options: Options) -> Router {
    let store = EventStore::new(Arc::new(MemoryStorage::new()));
    self_hosted_router(store, options)
}

fn body(bytes: usize) -> String {
    format!(r#"{{"events":["{}"]}}"#, "x".repeat(bytes))
}

#[tokio::test]
async fn answers_that_nobody_takes_have_a_bound() {
    let mut options = patient();
    options.max_answer_bytes = 500_000;
    let router = router(options);
    for stream in ["/streams/large", "/streams/other"] {
        assert_eq!(post(&router, stream, body(300_000)).await.status, 200);
    }
    assert_eq!(
        post(&router, "/streams/small", body(1000)).await.status,
        200
    );
    let read = Request::get("/streams/large/changesets");
    let kept = router
        .clone()
        .oneshot(read.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(kept.status(), StatusCode::OK);
    let refused = get(&router, "/streams/other/changesets").await;
    assert_eq!(refused.error(), "OVERLOADED");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(get(&router, "/streams/small/changesets").await.status, 200);
    assert_eq!(
        post(&router, "/streams/new", body(300_000)).await.status,
        200
    );
    drop(kept);
    assert_eq!(get(&router, "/streams/other/changesets").await.status, 200);
}

#[tokio::test]
async fn bodies_that_never_end_leave_room_to_small_ones() {
    let mut options = patient();
    options.max_buffered_bytes = 800_000;
    let router = router(options);
    let begun = Bytes::from(vec![b' '; 690_000]);
    let unending = stream::iter([Ok::<_, std::io::Error>(begun)]).chain(stream::pending());
    let stuck = tokio::spawn({
        let router = router.clone();
        async move {
            post(&router, "/streams/stuck", Body::from_stream(unending))
                .await
                .status
        }
    });
    while post(&router, "/streams/full", body(90_000)).await.error() != "OVERLOADED" {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        post(&router, "/streams/small", body(60_000)).await.status,
        200
    );
    stuck.abort();
    assert!(stuck.await.is_err());
    assert_eq!(
        post(&router, "/streams/again", body(90_000)).await.status,
        200
    );
}

#[tokio::test]
async fn a_body_has_few_members_and_a_changeset_a_limit_of_events() {
    let router = router(patient());
    let members = |count: usize| {
        let members = (0..count).map(|count| format!("\"m{count}\":1,"));
        format!("{{{}\"events\":[1]}}", members.collect::<String>())
    };
    let known = post(&router, "/streams/s", members(63)).await;
    assert!(
        known.message().contains("`m0`"),
        "the first is told: {}",
        known.message()
    );
    let refused = post(&router, "/streams/s", members(64)).await;
    assert_eq!(
        (refused.status.as_u16(), refused.error()),
        (400, "INVALID_BODY")
    );
    assert!(
        refused.message().contains("more than 64 members"),
        "{}",
        refused.message()
    );
    let events = |count: usize| format!(r#"{{"events":[{}1]}}"#, "1,".repeat(count - 1));
    let refused = post(&router, "/streams/s", events(100_001)).await;
    assert_eq!(
        (refused.status.as_u16(), refused.error()),
        (413, "CHANGESET_TOO_LARGE")
    );
    assert!(
        refused.message().contains("at most 100000"),
        "{}",
        refused.message()
    );
    assert_eq!(
        post(&router, "/streams/s", events(100_000)).await.status,
        200
    );
}

#[tokio::test]
async fn errors_repeat_only_the_beginning_of_what_was_sent() {
    let router = router(patient());
    let name = "n".repeat(1_000_000);
    for body in [
        format!(r#"{{"{name}":1,"{name}":1}}"#),
        format!(r#"{{"events":[1],"{name}":1}}"#),
    ] {
        let refused = post(&router, "/streams/s", body).await;
        assert_eq!(refused.error(), "INVALID_BODY");
        assert!(
            refused.message().len() < 1100,
            "{}",
            refused.message().len()
        );
        assert!(
            refused.message().contains("nnnnnnnn"),
            "{}",
            refused.message()
        );
    }
    let refused = get(&router, &format!("/{}", "x".repeat(20_000))).await;
    assert_eq!(refused.error(), "INVALID_ENDPOINT");
    assert!(
        refused.message().len() < 1100,
        "{}",
        refused.message().len()
    );
}

/// A commit of some bytes may be told changesets of megabytes that it missed.
#[tokio::test]
async fn conflicts_that_nobody_takes_have_a_bound() {
    let mut options = patient();
    options.max_answer_bytes = 500_000;
    let router = router(options);
    assert_eq!(post(&router, "/streams/s", body(300_000)).await.status, 200);
    let commit = |path: &str| {
        let commit = Request::post(path).header("idempotency-key", "mine");
        commit.body(Body::from(r#"{"events":[1]}"#)).unwrap()
    };
    let kept = router.clone().oneshot(commit("/streams/s")).await.unwrap();
    assert_eq!(kept.status(), StatusCode::CONFLICT);
    let refused = call(&router, commit("/streams/s")).await;
    assert_eq!(refused.error(), "OVERLOADED");
    assert_eq!(refused.body["outcome"], "none");
    assert_eq!(refused.body["stream_id"], "s");
    assert_eq!(refused.body["idempotency_key"], "mine");
    let told = call(&router, commit("/streams/s?forthcoming=0")).await;
    assert_eq!(told.error(), "OPTIMISTIC_CONCURRENCY_EXCEPTION");
    assert!(told.body.get("idempotency_key").is_none());
    drop(kept);
    let told = call(&router, commit("/streams/s")).await;
    assert_eq!(told.error(), "OPTIMISTIC_CONCURRENCY_EXCEPTION");
}

/// Large bodies, pages and conflicts are worked on beside the runtime's threads, if it has several,
/// with the same results.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_ones_are_the_same_on_a_runtime_of_several_threads() {
    let router = router(patient());
    let large = body(2_000_000);
    let written = post(&router, "/streams/s", large.clone()).await;
    assert_eq!(written.status, 200);
    let events: serde_json::Value = serde_json::from_str(&large).unwrap();
    let reads = [
        "/streams/s/changesets",
        "/changesets",
        "/changesets?pp=true",
    ];
    for path in reads {
        let page = get(&router, path).await;
        assert_eq!(
            page.body["changesets"][0]["events"], events["events"],
            "{path}"
        );
    }
    for path in ["/streams/s/events", "/events"] {
        let page = get(&router, path).await;
        assert_eq!(
            page.body["events"][0]["data"], events["events"][0],
            "{path}"
        );
    }
    let conflict = post(&router, "/streams/s", large).await;
    assert_eq!(conflict.error(), "OPTIMISTIC_CONCURRENCY_EXCEPTION");
    let missed = &conflict.body["forthcoming_changesets"][0]["events"];
    assert_eq!(missed, &events["events"]);
    let many = format!("{{{}\"events\":[1]}}", "\"a\":1,".repeat(100_000));
    assert_eq!(
        post(&router, "/streams/s", many).await.error(),
        "INVALID_BODY"
    );
}
