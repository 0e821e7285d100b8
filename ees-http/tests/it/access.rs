//! A host's own authentication, and the hosts that a server serves.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use ees_http::{
    Authorizer, Caller, Hosts, Options, RequestParts, Right, Unauthorized, router,
    self_hosted_router,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Faulty, call, get, patient};

/// Recognises everybody who gives a name.
#[derive(Debug)]
struct Named(CancellationToken);

#[async_trait]
impl Authorizer for Named {
    async fn authenticate(&self, request: &RequestParts) -> Result<Caller, Unauthorized> {
        let name = request
            .headers
            .get("x-name")
            .and_then(|name| name.to_str().ok());
        let name = name.ok_or_else(|| Unauthorized::new("who are you?"))?;
        Ok(Caller::new(name, [Right::Read]).ended_by(self.0.clone()))
    }
}

fn named(path: &str) -> Request<Body> {
    let request = Request::get(path).header("x-name", "somebody");
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_host_brings_its_own_authentication() {
    let storage = Faulty::new();
    let mut options = patient();
    let ended = CancellationToken::new();
    options.authorizer = Some(Arc::new(Named(ended.clone())));
    let router = router(storage.store(), options);
    let refused = get(&router, "/streams").await;
    assert_eq!(
        (refused.status.as_u16(), refused.error()),
        (401, "UNAUTHORIZED")
    );
    assert_eq!(refused.message(), "who are you?");
    assert_eq!(refused.headers["www-authenticate"], "Bearer realm=\"ees\"");
    assert!(refused.headers.contains_key("x-request-id"));
    assert_eq!(call(&router, named("/streams")).await.status, 200);
    let append = Request::post("/streams/s").header("x-name", "somebody");
    let append = call(&router, append.body(Body::from("{}")).unwrap()).await;
    assert_eq!((append.status.as_u16(), append.error()), (403, "FORBIDDEN"));
    assert_eq!(
        append.message(),
        "the key `somebody` lacks the right `append`"
    );
    assert_eq!(append.body["stream_id"], "s");
    assert_eq!(get(&router, "/version").await.status, 200, "it is public");
}

#[tokio::test]
async fn a_waiting_call_ends_with_its_caller() {
    let storage = Faulty::new();
    let mut options = patient();
    let ended = CancellationToken::new();
    options.authorizer = Some(Arc::new(Named(ended.clone())));
    let router = router(storage.store(), options);
    let waiting = tokio::spawn({
        let router = router.clone();
        async move { call(&router, named("/changesets?wait=20")).await }
    });
    storage.called().await;
    ended.cancel();
    let answer = waiting.await.unwrap();
    assert_eq!(answer.status, 401, "the clock stands: nothing else ends it");
    assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"ees\"");
}

#[tokio::test]
async fn a_server_serves_its_own_hosts_only() {
    let storage = Faulty::new();
    let mut options = Options::default();
    options.hosts = Some(Hosts::local().with("ees.example"));
    let router = self_hosted_router(storage.store(), options);
    let status = async |path: &str, host: &str| {
        let request = Request::get(path).header("host", host);
        let answer = call(&router, request.body(Body::empty()).unwrap()).await;
        (answer.status.as_u16(), answer.error().to_owned())
    };
    for host in ["localhost:8080", "127.0.0.1", "[::1]:80", "EES.example:443"] {
        assert_eq!(status("/streams", host).await.0, 200, "{host}");
    }
    let misdirected = (421, "MISDIRECTED_REQUEST".to_owned());
    for host in [
        "evil.example",
        "localhost.evil.example",
        "10.0.0.1:80",
        "",
        "a b",
    ] {
        for path in ["/streams", "/version", "/health/live"] {
            assert_eq!(status(path, host).await, misdirected, "{host}: {path}");
        }
    }
    assert_eq!(
        get(&router, "/streams").await.status,
        200,
        "as old clients do"
    );
}

/// Appends to streams of its prefixes. It may read them if its name is `reader`.
#[derive(Debug)]
struct Limited;

#[async_trait]
impl Authorizer for Limited {
    async fn authenticate(&self, request: &RequestParts) -> Result<Caller, Unauthorized> {
        let rights = match request.headers.get("x-name") {
            Some(name) if name == "reader" => vec![Right::Append, Right::Read],
            _ => vec![Right::Append],
        };
        Ok(Caller::new("key", rights).with_stream_prefixes(["a-".to_owned()]))
    }
}

/// A set has streams that a caller may reach only, as commits and as checks. Its conflict has no
/// changeset for a caller who may not read.
#[tokio::test]
async fn a_set_is_within_the_prefixes_of_its_caller() {
    let storage = Faulty::new();
    let mut options = patient();
    options.authorizer = Some(Arc::new(Limited));
    let router = router(storage.store(), options);
    let send = async |name: &str, body: &str| {
        let request = Request::post("/commits").header("x-name", name);
        call(&router, request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let other =
        r#"{"commits":[{"stream_id":"a-1","events":[1]},{"stream_id":"b-1","events":[1]}]}"#;
    let checked = r#"{"commits":[{"stream_id":"a-1","events":[1]}],
        "checks":[{"stream_id":"b-1","expected_last_changeset":0}]}"#;
    for body in [other, checked] {
        let refused = send("reader", body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.error()),
            (403, "FORBIDDEN")
        );
        assert_eq!(
            refused.message(),
            "the key `key` is limited to streams with the prefix `a-`: the set has stream `b-1`"
        );
    }
    let within = r#"{"commits":[{"stream_id":"a-1","events":["secret"]}]}"#;
    assert_eq!(
        send("writer", within).await.status,
        200,
        "nothing was stored"
    );
    let again = r#"{"commits":[{"stream_id":"a-1","events":[2]}]}"#;
    for (name, listed) in [("reader", 1), ("writer", 0)] {
        let conflict = send(name, again).await;
        assert_eq!(conflict.status, 409);
        let unmet = &conflict.body["conflicts"][0];
        assert_eq!(unmet["last_changeset"], 1, "{name}");
        let told = unmet["forthcoming_changesets"].as_array();
        assert_eq!(told.map_or(0, Vec::len), listed, "{name}");
    }
}
