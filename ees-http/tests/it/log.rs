//! The verifiable log, as its own host would show it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request};
use ees_core::{EventStore, Events, Expectation, NewChangeset};
use ees_evidence::{LogKey, Sealer};
use ees_http::{Authorizer, Caller, Options, RequestParts, Right, Unauthorized, router};
use ees_memory::MemoryStorage;
use tower::ServiceExt;

use crate::support::get;

/// A host over a store with so many changesets, sealed with a key or without.
async fn host(count: u64, key: Option<LogKey>, options: Options) -> (Router, EventStore) {
    let storage = Arc::new(MemoryStorage::new());
    let store = EventStore::new(Arc::clone(&storage)).with_log(storage);
    for last in 0..count {
        let events = Events::of(&[last]).unwrap();
        let expected = Expectation::LastChangeset(last);
        let asked = NewChangeset::new("s".parse().unwrap(), expected, events);
        store.commit(asked).await.unwrap();
    }
    let sealer = Sealer::of(&store, key).unwrap();
    sealer.catch_up().await.unwrap();
    (router(store.clone(), options), store)
}

/// An answer that is no JSON: its status, its headers and its bytes.
async fn raw(router: &Router, method: Method, path: &str) -> (u16, HeaderMap, Vec<u8>) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (head.status.as_u16(), head.headers, body.to_vec())
}

/// Every error of every call.
#[tokio::test]
async fn what_is_not_there_is_told() {
    let none = router(
        EventStore::new(Arc::new(MemoryStorage::new())),
        Options::default(),
    );
    let (empty, _) = host(0, None, Options::default()).await;
    let (unsigned, _) = host(3, None, Options::default()).await;
    let key = LogKey::generate("a").unwrap();
    let (signed, _) = host(3, Some(key), Options::default()).await;
    let not_found = [
        (&none, "head", "NO_LOG"),
        (&none, "checkpoint", "NO_LOG"),
        (&none, "tile/0/000", "NO_LOG"),
        (&none, "proof?checkpoint=0", "NO_LOG"),
        (&none, "consistency?from=1&to=2", "NO_LOG"),
        (&empty, "head", "NOT_SEALED"),
        (&empty, "checkpoint", "NOT_SEALED"),
        (&empty, "tile/0/000.p/1", "NOT_SEALED"),
        (&empty, "proof?checkpoint=0", "NOT_SIGNED"),
        (&empty, "consistency?from=1&to=1", "NOT_SEALED"),
        (&unsigned, "checkpoint", "NOT_SIGNED"),
        (&unsigned, "proof?checkpoint=0", "NOT_SIGNED"),
        (&unsigned, "tile/0/000", "NOT_SEALED"),
        (&unsigned, "tile/0/000.p/4", "NOT_SEALED"),
        (&unsigned, "tile/0/x001/000", "NOT_SEALED"),
        (&unsigned, "tile/1/000.p/1", "NOT_SEALED"),
        (&unsigned, "tile/63/000", "NOT_SEALED"),
        (&unsigned, "consistency?from=1&to=4", "NOT_SEALED"),
        (&signed, "proof?checkpoint=3", "NOT_SEALED"),
        (&signed, "proof?checkpoint=0&size=2", "NOT_SIGNED"),
    ];
    for (router, path, code) in not_found {
        let answer = get(router, &format!("/log/{path}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error()),
            (404, code),
            "{path}"
        );
        assert!(!answer.message().is_empty());
    }
    let wrong = [
        ("tile/64/000", "INVALID_TILE"),
        ("tile/0/0", "INVALID_TILE"),
        ("tile/0/000.p/0", "INVALID_TILE"),
        ("tile/0/000.p/256", "INVALID_TILE"),
        ("tile/0/%FF", "INVALID_TILE"),
        ("tile/0/0?nonsense=1", "INVALID_TILE"),
        ("tile/0/000?nonsense=1", "INVALID_PARAMETER"),
        ("head?nonsense=1", "INVALID_PARAMETER"),
        ("head?pp=maybe", "INVALID_PARAMETER"),
        ("checkpoint?nonsense=1", "INVALID_PARAMETER"),
        ("proof", "INVALID_CHECKPOINT"),
        ("proof?checkpoint=x", "INVALID_CHECKPOINT"),
        ("proof?checkpoint=head", "INVALID_CHECKPOINT"),
        ("proof?checkpoint=2&size=2", "INVALID_CHECKPOINT"),
        ("proof?checkpoint=0&size=0", "INVALID_LOG_SIZE"),
        ("proof?checkpoint=0&size=x", "INVALID_LOG_SIZE"),
        ("proof?checkpoint=0&checkpoint=0", "INVALID_PARAMETER"),
        ("proof?checkpoint=0&sizes=1", "INVALID_PARAMETER"),
        ("consistency", "INVALID_LOG_SIZE"),
        ("consistency?from=1", "INVALID_LOG_SIZE"),
        ("consistency?to=1", "INVALID_LOG_SIZE"),
        ("consistency?from=0&to=1", "INVALID_LOG_SIZE"),
        ("consistency?from=2&to=1", "INVALID_LOG_SIZE"),
        ("consistency?from=1&to=1&x=1", "INVALID_PARAMETER"),
    ];
    for (path, code) in wrong {
        let answer = get(&signed, &format!("/log/{path}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error()),
            (400, code),
            "{path}"
        );
    }
}

/// Full tiles may be kept by caches; by those of others only if the answer is for everybody.
#[tokio::test]
async fn full_tiles_are_kept_by_caches() {
    let (open, _) = host(300, None, Options::default()).await;
    let mut options = Options::default();
    options.authorizer = Some(Arc::new(Everybody));
    let (guarded, _) = host(300, None, options).await;
    for method in [Method::GET, Method::HEAD] {
        for (router, path, cached) in [
            (&open, "0/000", Some("public, max-age=86400, immutable")),
            (&guarded, "0/000", Some("private, max-age=86400, immutable")),
            (&open, "0/000.p/7", None),
            (&open, "0/001.p/44", None),
            (&open, "0/001", None),
        ] {
            let path = format!("/log/tile/{path}");
            let (_, headers, _) = raw(router, method.clone(), &path).await;
            let found = headers.get("cache-control");
            assert_eq!(found.map(|value| value.to_str().unwrap()), cached, "{path}");
        }
    }
    let (status, headers, bytes) = raw(&open, Method::GET, "/log/tile/0/000").await;
    assert_eq!((status, bytes.len()), (200, 256 * 32));
    assert_eq!(headers["content-type"], "application/octet-stream");
    let (_, _, beginning) = raw(&open, Method::GET, "/log/tile/0/000.p%2F7").await;
    assert_eq!(beginning, bytes[..7 * 32]);
}

/// Both end with the same signed head; a store that was restored tells from which log it goes on.
#[tokio::test]
async fn signed_heads_and_proofs_are_texts() {
    let key = LogKey::generate("example.com/a").unwrap();
    let (router, store) = host(3, Some(key.clone()), Options::default()).await;
    let origin = key.origin(store.identity().await.unwrap().id);
    let (_, headers, note) = raw(&router, Method::GET, "/log/checkpoint?pp=true").await;
    assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    let note = String::from_utf8(note).unwrap();
    assert!(note.starts_with(&format!("{origin}\n3\n")), "{note}");
    let head = get(&router, "/log/head?pp=true").await;
    assert_eq!(head.body["signed_note"], note);
    let (_, _, proof) = raw(&router, Method::GET, "/log/proof?checkpoint=1&size=3").await;
    let proof = String::from_utf8(proof).unwrap();
    assert!(proof.ends_with(&note), "{proof}");
    store.renew_identity().await.unwrap();
    Sealer::of(&store, None).unwrap().catch_up().await.unwrap();
    let moved = get(&router, "/log/head").await.body;
    let root = &head.body["root"];
    assert_eq!((&moved["root"], &moved["parent"]["root"]), (root, root));
    assert_eq!(moved["parent"]["size"], 3);
    assert!(origin.ends_with(moved["parent"]["store"].as_str().unwrap()));
    assert!(moved.get("signed_note").is_none(), "{moved}");
}

/// Lets everybody read everything.
#[derive(Debug)]
struct Everybody;

#[async_trait]
impl Authorizer for Everybody {
    async fn authenticate(&self, _: &RequestParts) -> Result<Caller, Unauthorized> {
        Ok(Caller::new("everybody", [Right::Read]))
    }
}
