//! What API Gateway answers or changes by itself before a REST API's function sees a request.
//!
//! | Rule | Source |
//! |---|---|
//! | `ANY` is DELETE, GET, HEAD, OPTIONS, PATCH, POST and PUT; others get 403 | API Gateway's developer guide, "Set up a method using the console": "ANY" |
//! | a leading `//` of a path is one slash | `LocalStack`'s snapshot that was validated on AWS, `test_apigateway_lambda.snapshot.json`, August 2024 |
//! | a malformed escape in a path or query gets 400 | adamchainz/apig-wsgi#102 for the query; not documented for the path |
//! | a query that is not UTF-8 gets 400 | not documented; the query is decoded before the function gets it |
//!
//! `ees-conformance --behind api-gateway` expects the same.

use axum::http::StatusCode;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

/// The methods that `ANY` stands for.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// An answer of the gateway's own.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: &'static str,
}

/// The gateway's own answer to a request; `None` if the function gets it.
pub(super) fn of_rest(head: &Parts) -> Option<Refusal> {
    let refusal = |status, message| Some(Refusal { status, message });
    if !METHODS.contains(&head.method.as_str()) {
        return refusal(StatusCode::FORBIDDEN, "Missing Authentication Token");
    }
    let query = head.uri.query().unwrap_or_default();
    let is_text = percent_decode_str(query).decode_utf8().is_ok();
    if !is_text || !is_well_formed(query) || !is_well_formed(head.uri.path()) {
        return refusal(StatusCode::BAD_REQUEST, "Bad Request");
    }
    None
}

/// The path as the function gets it.
pub(super) fn path(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

/// Whether two hexadecimal digits follow each `%`.
fn is_well_formed(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() == 2
    })
}
