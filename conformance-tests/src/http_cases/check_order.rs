//! Which of several errors is reported first: method and path, stream id, query parameters in the
//! order of the contract's table, headers, body, storage.

use hyper::Method;

use crate::HttpHarness;
use crate::subject::{Remote, Response, unique};
use crate::wire::{
    BODY, CHANGESET_RANGE, Call, EVENT_RANGE, all_calls, append, changesets_call, commit_call,
    events_call, global_calls, path, refused, stream_calls,
};

const BAD_KEY: (&str, &str) = ("idempotency-key", "");

async fn post(
    remote: &Remote,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Response {
    remote.send(Method::POST, path, headers, body).await
}

/// A wrong method or path is reported before a wrong stream id or parameter.
pub async fn method_and_path_come_first(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let reserved = "!!!RESERVED";
    for call in stream_calls(&path(reserved)) {
        let response = remote
            .send(
                Method::DELETE,
                &format!("{}?pp=x&from=x", call.path),
                &[],
                "",
            )
            .await;
        refused(&response, "METHOD_NOT_ALLOWED", Some(reserved));
    }
    for unknown in [
        "/streams/%ff/snapshots?pp=x",
        "/stream?pp=x&pp=x",
        "/events/1?limit=x",
    ] {
        refused(&remote.get(unknown).await, "INVALID_ENDPOINT", None);
    }
}

/// A wrong stream id is reported before wrong parameters, headers, bodies.
pub async fn the_stream_id_comes_before_the_parameters(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let reserved = "!!!RESERVED";
    let bad = "expected_last_changeset=x&from=x&limit=0&details=x&pp=x&pp=x";
    for call in stream_calls(&path(reserved)) {
        let response = call.send(&remote, bad).await;
        refused(&response, "INVALID_STREAM_ID", Some(reserved));
    }
    let path = format!("{}?{bad}", path(reserved));
    let response = post(&remote, &path, &[BAD_KEY], "x").await;
    refused(&response, "INVALID_STREAM_ID", Some(reserved));
}

/// Of several wrong parameters the first of the contract's table is reported, wherever it is in
/// the query.
pub async fn parameters_come_in_the_order_of_the_contract(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("order");
    let commit = [
        ("expected_last_changeset", "INVALID_EXPECTED_CHANGESET_ID"),
        ("expected_last_event", "INVALID_EXPECTED_EVENT_ID"),
        ("forthcoming", "INVALID_PARAMETER"),
        ("details", "INVALID_PARAMETER"),
    ];
    assert_order(&remote, &commit_call(&path(&stream)), &commit, &stream).await;
    for (call, code) in [
        (changesets_call(&path(&stream)), CHANGESET_RANGE),
        (events_call(&path(&stream)), EVENT_RANGE),
    ] {
        let read = [
            ("from", code),
            ("to", code),
            ("limit", "INVALID_LIMIT"),
            ("direction", "INVALID_PARAMETER"),
        ];
        assert_order(&remote, &call, &read, &stream).await;
        let upside_down = call.send(&remote, "limit=x&from=2&to=1").await;
        refused(&upside_down, code, Some(&stream));
    }
    let global = [
        ("checkpoint", "INVALID_CHECKPOINT"),
        ("limit", "INVALID_LIMIT"),
        ("wait", "INVALID_PARAMETER"),
    ];
    for call in global_calls() {
        assert_order(&remote, &call, &global, &stream).await;
    }
}

/// Makes ever fewer mistakes, the first one last in the query.
async fn assert_order(remote: &Remote, call: &Call, order: &[(&str, &str)], stream: &str) {
    for (at, (name, code)) in order.iter().enumerate() {
        let mistakes = order[at..].iter().rev();
        let query: Vec<String> = mistakes.map(|(name, _)| format!("{name}=x")).collect();
        let response = call.send(remote, &query.join("&")).await;
        let message = refused(&response, code, call.has_stream().then_some(stream));
        assert!(message.contains(name), "G12: `{message}` names `{name}`");
    }
}

/// A wrong parameter is reported before a wrong header.
pub async fn parameters_come_before_headers(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("order");
    let path = path(&stream);
    for (query, code) in [
        ("expected_last_changeset=x", "INVALID_EXPECTED_CHANGESET_ID"),
        ("details=x", "INVALID_PARAMETER"),
        ("pp=x", "INVALID_PARAMETER"),
    ] {
        let response = post(&remote, &format!("{path}?{query}"), &[BAD_KEY], "x").await;
        refused(&response, code, Some(&stream));
    }
    let accept = [("accept", "text/event-stream")];
    let response = remote
        .send(Method::GET, "/changesets?limit=0", &accept, "")
        .await;
    refused(&response, "INVALID_LIMIT", None);
}

/// A wrong header is reported before a wrong body.
pub async fn headers_come_before_the_body(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("order");
    let response = post(&remote, &path(&stream), &[BAD_KEY], "x").await;
    refused(&response, "INVALID_IDEMPOTENCY_KEY", Some(&stream));
}

/// A wrong body is reported before a conflict or an expectation ahead.
pub async fn the_body_comes_before_the_storage(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("order");
    append(&remote, &stream, 0, BODY).await;
    for last in [0, 9] {
        let path = format!("{}?expected_last_changeset={last}", path(&stream));
        for (body, code) in [("x", "INVALID_BODY"), (r#"{"events":[]}"#, "NO_EVENTS")] {
            refused(&remote.post(&path, body).await, code, Some(&stream));
        }
    }
}

/// A wrong parameter is reported before a missing stream.
pub async fn parameters_come_before_the_storage(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("order");
    for call in all_calls(&path(&stream)) {
        let response = call.send(&remote, "details=x").await;
        let named = call.has_stream().then_some(stream.as_str());
        refused(&response, "INVALID_PARAMETER", named);
    }
}
