//! Helpers of the cases of the REST contract: the calls, and the rules for every answer.

pub(crate) mod merkle;
pub(crate) mod paging;
pub(crate) mod parameters;
pub(crate) mod schema;
pub(crate) mod socket;
pub(crate) mod tokens;

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::Value;

use crate::subject::{Remote, Response, encode};

/// Which status each error has.
const STATUS: &[(&str, u16)] = &[
    ("MISSING_STREAM_ID", 400),
    ("INVALID_STREAM_ID", 400),
    ("INVALID_EXPECTED_CHANGESET_ID", 400),
    ("INVALID_EXPECTED_EVENT_ID", 400),
    ("BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET", 400),
    ("OPTIMISTIC_CONCURRENCY_EXCEPTION", 409),
    ("INVALID_BODY", 400),
    ("NO_EVENTS", 400),
    ("CHANGESET_TOO_LARGE", 413),
    ("INVALID_IDEMPOTENCY_KEY", 400),
    ("IDEMPOTENCY_KEY_REUSED", 422),
    ("STREAM_NOT_FOUND", 404),
    ("INVALID_CHANGESET_FILTERING_PARAMS", 400),
    ("INVALID_EVENT_FILTERING_PARAMS", 400),
    ("INVALID_CONSUMER_NAME", 400),
    ("CONSUMER_NOT_FOUND", 404),
    ("CONSUMER_EXISTS", 409),
    ("FENCED", 409),
    ("STREAM_NOT_PARKED", 404),
    ("INVALID_CHECKPOINT", 400),
    ("CHECKPOINT_BEYOND_HEAD", 400),
    ("NO_LOG", 404),
    ("NOT_SEALED", 404),
    ("NOT_SIGNED", 404),
    ("INVALID_TILE", 400),
    ("INVALID_LOG_SIZE", 400),
    ("OTHER_STORE", 409),
    ("INVALID_LIMIT", 400),
    ("INVALID_PARAMETER", 400),
    ("INVALID_ENDPOINT", 404),
    ("METHOD_NOT_ALLOWED", 405),
    ("NOT_ACCEPTABLE", 406),
];

/// The errors of ranges, by the call.
pub(crate) const CHANGESET_RANGE: &str = "INVALID_CHANGESET_FILTERING_PARAMS";
pub(crate) const EVENT_RANGE: &str = "INVALID_EVENT_FILTERING_PARAMS";

/// A body that can be committed.
pub(crate) const BODY: &str = r#"{"events":[{"type":"tested"}]}"#;

/// A stream's path.
pub(crate) fn path(stream: &str) -> String {
    format!("/streams/{}", encode(stream))
}

/// A call of the contract, without its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Its path in the contract.
    pub(crate) template: &'static str,
    pub(crate) path: String,
}

impl Call {
    /// A call with a stream's path put in its place.
    pub(crate) fn new(method: Method, template: &'static str, stream_path: &str) -> Self {
        Self {
            method,
            template,
            path: template.replace("/streams/{stream_id}", stream_path),
        }
    }

    /// Makes the call; a commit has a body that would do.
    pub(crate) async fn send(&self, remote: &Remote, query: &str) -> Response {
        let path = format!("{}?{query}", self.path);
        let body = if self.method == Method::POST {
            BODY
        } else {
            ""
        };
        remote.send(self.method.clone(), &path, &[], body).await
    }

    /// Whether its path has a stream in it.
    pub(crate) fn has_stream(&self) -> bool {
        self.template.contains('{')
    }
}

/// The calls that name a stream.
pub(crate) fn stream_calls(stream_path: &str) -> [Call; 4] {
    [
        commit_call(stream_path),
        Call::new(Method::GET, "/streams/{stream_id}", stream_path),
        changesets_call(stream_path),
        events_call(stream_path),
    ]
}

pub(crate) fn commit_call(stream_path: &str) -> Call {
    Call::new(Method::POST, "/streams/{stream_id}", stream_path)
}

pub(crate) fn changesets_call(stream_path: &str) -> Call {
    Call::new(Method::GET, "/streams/{stream_id}/changesets", stream_path)
}

pub(crate) fn events_call(stream_path: &str) -> Call {
    Call::new(Method::GET, "/streams/{stream_id}/events", stream_path)
}

/// The reads of the global order.
pub(crate) fn global_calls() -> [Call; 2] {
    ["/changesets", "/events"].map(|path| Call::new(Method::GET, path, ""))
}

/// Every call.
pub(crate) fn all_calls(stream_path: &str) -> Vec<Call> {
    let service = ["/", "/streams", "/version", "/openapi.json"];
    let service = service.map(|path| Call::new(Method::GET, path, ""));
    let mut calls = Vec::from(stream_calls(stream_path));
    calls.extend(global_calls());
    calls.extend(service);
    calls
}

/// An answer that must be a 200 of JSON.
pub(crate) fn accepted(response: &Response) -> Value {
    let text = response.text();
    assert_eq!(response.status, 200, "a 200 was expected: {text}");
    assert_headers(response);
    response.json()
}

/// An answer that must be this error; the body, for what more it has to tell.
pub(crate) fn error(response: &Response, code: &str) -> Value {
    let text = response.text();
    let (_, status) = *STATUS.iter().find(|(name, _)| *name == code).expect(code);
    assert_eq!(
        response.status, status,
        "G12: {code} was expected, not {text}"
    );
    assert_headers(response);
    let body = response.json();
    assert_eq!(body["error"], code, "G12: {text}");
    let message = body["message"].as_str().unwrap_or_default();
    assert!(!message.is_empty(), "G12: {code} says what was wrong");
    body
}

/// An error with no more than every error has: what it says.
pub(crate) fn refused(response: &Response, code: &str, stream: Option<&str>) -> String {
    let body = error(response, code);
    match stream {
        None => assert_fields(&body, &["error", "message"]),
        Some(stream) => {
            assert_fields(&body, &["error", "message", "stream_id"]);
            assert_eq!(body["stream_id"], stream, "G12: {code} names the stream");
        }
    }
    body["message"].as_str().unwrap_or_default().to_owned()
}

/// The refusal of an expectation beyond the end of a stream: it tells that end. What it says.
pub(crate) fn ahead(response: &Response, stream: &str, end: (u64, u64)) -> String {
    let body = error(response, "INVALID_EXPECTED_CHANGESET_ID");
    let fields = [
        "error",
        "message",
        "stream_id",
        "last_changeset",
        "last_event",
    ];
    assert_fields(&body, &fields);
    assert_eq!(body["stream_id"], stream, "G12: {body}");
    let (changeset, event) = end;
    assert_eq!(body["last_changeset"], changeset, "G2: {body}");
    assert_eq!(body["last_event"], event, "G2: {body}");
    body["message"].as_str().unwrap_or_default().to_owned()
}

/// What every answer of the contract has.
fn assert_headers(response: &Response) {
    assert_eq!(
        response.header("content-type"),
        Some("application/json"),
        "G12: every answer is JSON"
    );
    let id = response.header("x-request-id").unwrap_or_default();
    assert!(!id.is_empty(), "G12: every answer has an x-request-id");
    assert_eq!(store_id(response).len(), 36, "G6: the store's id is a UUID");
}

/// The id of the store that answers.
pub(crate) fn store_id(response: &Response) -> String {
    let id = response.header("ees-store");
    id.expect("G6: every answer has an EES-Store").to_owned()
}

/// Exactly these fields, no others.
pub(crate) fn assert_fields(object: &Value, fields: &[&str]) {
    let found = object.as_object().expect("an object").keys();
    let found: BTreeSet<&str> = found.map(String::as_str).collect();
    let expected = fields.iter().copied().collect();
    assert_eq!(found, expected, "the contract's fields and no others");
}

/// Appends to a stream what must be appended.
pub(crate) async fn append(
    remote: &Remote,
    stream: &str,
    last: u64,
    body: impl Into<bytes::Bytes>,
) -> Value {
    let path = format!("{}?expected_last_changeset={last}", path(stream));
    accepted(&remote.post(&path, body).await)
}

/// What must not have changed anything: the stream is not there.
pub(crate) async fn assert_untouched(remote: &Remote, stream: &str) {
    let head = remote.get(&path(stream)).await;
    let text = head.text();
    assert_eq!(
        head.status, 404,
        "G12: a refusal changes nothing, but {text}"
    );
}

/// The end of the global order.
pub(crate) async fn end_of_log(remote: &Remote) -> u64 {
    let page = accepted(&remote.get("/changesets?checkpoint=head").await);
    page["checkpoint"].as_u64().expect("a checkpoint")
}

/// The position of a stream's changeset that has one.
pub(crate) async fn position(remote: &Remote, stream: &str, changeset: u64) -> u64 {
    let path = path(stream);
    let read = format!("{path}/changesets?from={changeset}&limit=1&details=true");
    let page = accepted(&remote.get(&read).await);
    let checkpoint = page["changesets"][0]["checkpoint"].as_u64();
    checkpoint.unwrap_or_else(|| panic!("G6: no position: {page}"))
}
