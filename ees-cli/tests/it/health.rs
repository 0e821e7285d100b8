//! What only a server of one's own has: what a supervisor asks, and how much may go on at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ees_conformance::subject::{Remote, Response};
use hyper::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::serving;

/// Longer than anything takes that is waited for.
const LONG: Duration = Duration::from_mins(5);

#[tokio::test]
async fn a_supervisor_is_answered() {
    let server = serving::start("memory:").await;
    let remote = Remote::new(serving::url(&server));
    for state in ["live", "ready"] {
        let path = format!("/health/{state}");
        let described = &remote.get("/openapi.json").await.json()["paths"][&path];
        assert!(described["get"].is_object(), "{path} is described");
        let answer = remote.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json(), json!({ "status": state }));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let refused = remote.post(&path, "").await;
        assert_eq!(refused.status, 405, "G12: {}", refused.text());
        assert_eq!(refused.json()["error"], "METHOD_NOT_ALLOWED");
        assert_eq!(refused.header("allow"), Some("GET,HEAD"));
    }
    let unknown = remote.get("/health").await;
    assert_eq!(unknown.status, 404, "G12: {}", unknown.text());
    server.stop().await.expect("an end");
}

/// Asks until the answer has a status.
async fn until(remote: &Arc<Remote>, path: &str, status: u16) -> Response {
    let begun = Instant::now();
    loop {
        let answer = remote.send(Method::GET, path, &[], "").await;
        if answer.status == status {
            return answer;
        }
        assert!(begun.elapsed() < LONG, "{path} should come to {status}");
    }
}

/// Who is turned away is told to come back; supervisors are not in the way.
#[tokio::test]
async fn too_many_requests_are_told_to_come_back() {
    let mut args = serving::serve_args("memory:");
    args.max_requests = 0;
    let server = ees_cli::server::Server::start(&args).await;
    let server = server.expect("a server");
    let remote = Remote::new(serving::url(&server));
    let refused = remote.get("/streams/s").await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    let body = refused.json();
    assert_eq!(body["error"], "OVERLOADED", "G12: {body}");
    assert_eq!(body["outcome"], "none", "G12: nothing was done");
    let pause = refused.header("retry-after").expect("when to come back");
    assert!(
        pause.parse::<u64>().is_ok_and(|seconds| seconds >= 1),
        "{pause}"
    );
    for path in ["/health/live", "/health/ready", "/metrics"] {
        let answer = remote.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    server.stop().await.expect("an end");
}

/// A body that is not sent on, and an answer that is not taken, keep nobody out.
#[tokio::test]
async fn slow_clients_keep_nobody_out() {
    let mut args = serving::serve_args("memory:");
    args.max_requests = 1;
    let server = ees_cli::server::Server::start(&args).await;
    let server = server.expect("a server");
    let remote = Remote::new(serving::url(&server));
    // More than a connection's buffers take.
    let large = format!(r#"{{"events":["{}"]}}"#, "x".repeat(16_000_000));
    let written = remote.post("/streams/large", large).await;
    assert_eq!(written.status, 200, "{}", written.text());
    let send = async |request: &str| {
        let connected = TcpStream::connect(server.address()).await;
        let mut stream = connected.expect("a connection");
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("a request, or a part of one");
        stream
    };
    let head = "POST /streams/s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n{";
    let mut slow = send(head).await;
    let deaf = send("GET /streams/large/changesets HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    // While the answer is made, it has the only place.
    for (path, status) in [
        ("/streams/s", 404),
        ("/changesets?limit=1", 200),
        ("/changesets?wait=1", 200),
    ] {
        until(&remote, path, status).await;
    }
    slow.write_all(br#""events":[1]}"#).await.expect("the rest");
    let head = until(&remote, "/streams/s", 200).await;
    assert_eq!(
        head.json()["last_changeset"],
        1,
        "G1: the slow request was done"
    );
    drop(deaf);
    server.stop().await.expect("an end");
}
