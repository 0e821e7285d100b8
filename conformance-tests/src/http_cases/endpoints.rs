//! Paths and methods.

use std::collections::BTreeSet;

use hyper::Method;

use crate::HttpHarness;
use crate::subject::{Remote, unique};
use crate::wire::{BODY, append, assert_untouched, path, refused};

/// What is no path of the contract, a slash too many included.
pub async fn unknown_paths_are_not_found(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("endpoints");
    append(&remote, &stream, 0, BODY).await;
    let stream = path(&stream);
    for unknown in [
        "/stream",
        "/Streams",
        "/changesets/",
        "/changesets/1",
        "/events/",
        "/version/",
        "/openapi",
        "/openapi.yaml",
        "//changesets",
        &format!("{stream}/"),
        &format!("{stream}/foo"),
        &format!("{stream}/changesets/"),
        &format!("{stream}/changesets/1"),
        &format!("{stream}/events/"),
        &format!("{stream}/Events"),
        &format!("/v1{stream}"),
        "/streams///",
        "/streams//foo",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let response = remote.send(method, unknown, &[], "").await;
            if response.is_of_the_front() {
                continue;
            }
            let message = refused(&response, "INVALID_ENDPOINT", None);
            assert!(message.contains(unknown), "G12: `{message}` names the path");
        }
    }
}

/// Paths with the methods that they have.
fn endpoints(stream_path: &str) -> Vec<(String, &'static [&'static str])> {
    let read: &[&str] = &["GET", "HEAD"];
    let both: &[&str] = &["GET", "HEAD", "POST"];
    let mut all: Vec<(String, &[&str])> = [
        "/",
        "/streams",
        "/changesets",
        "/events",
        "/version",
        "/openapi.json",
    ]
    .map(|path| (path.to_owned(), read))
    .into();
    for stream_path in [stream_path, "/streams/"] {
        all.push((stream_path.to_owned(), both));
        all.push((format!("{stream_path}/changesets"), read));
        all.push((format!("{stream_path}/events"), read));
    }
    all
}

async fn assert_not_allowed(
    remote: &Remote,
    method: &str,
    path: &str,
    allowed: &[&str],
    stream: Option<&str>,
) {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let response = remote.send(method.clone(), path, &[], BODY).await;
    if response.is_of_the_front() {
        return;
    }
    let message = refused(&response, "METHOD_NOT_ALLOWED", stream);
    assert!(
        message.contains(method.as_str()),
        "G12: `{message}` names the method"
    );
    let allow = response.header("allow").expect("G12: an Allow header");
    let allow: BTreeSet<&str> = allow.split(',').map(str::trim).collect();
    let allowed = allowed.iter().copied().collect();
    assert_eq!(
        allow, allowed,
        "G12: the `Allow` header of {method} {path} lists the methods"
    );
}

/// A method that the path does not support; `Allow` lists those that it supports.
pub async fn other_methods_are_not_allowed(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("endpoints/%");
    let stream_path = path(&stream);
    for (path, allowed) in endpoints(&stream_path) {
        let named = path.starts_with(&stream_path).then_some(stream.as_str());
        for method in [
            "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE",
        ] {
            if !allowed.contains(&method) {
                assert_not_allowed(&remote, method, &path, allowed, named).await;
            }
        }
    }
    assert_untouched(&remote, &stream).await;
}

/// Whoever accepts something else too gets JSON.
pub async fn event_streams_are_sent_where_nothing_else_will_do(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for accept in [
        "*/*",
        "application/json",
        "text/html",
        "text/event-stream, */*",
        "application/json, text/event-stream",
    ] {
        for path in ["/changesets", "/events"] {
            let headers = [("accept", accept)];
            let response = remote.send(Method::GET, path, &headers, "").await;
            assert_eq!(response.status, 200, "accept: {accept}");
            let kind = response.header("content-type");
            assert_eq!(kind, Some("application/json"), "accept: {accept}");
        }
    }
}
