//! Converts a request to the event of a function URL: payload format 2.0.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// The event. The path and the query are as the client encoded them. Several headers of one name are
/// one, joined by commas. A body is in Base64 unless its media type is one of text.
pub(super) fn of(head: &Parts, body: &[u8]) -> Value {
    let headers = headers(head);
    let text = is_text(headers.get("content-type").map(String::as_str));
    let encoded = (!text && !body.is_empty()).then(|| BASE64_STANDARD.encode(body));
    let is_encoded = encoded.is_some();
    let body = encoded.or_else(|| {
        let text = || String::from_utf8_lossy(body).into_owned();
        (!body.is_empty()).then(text)
    });
    let now = Timestamp::now();
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": head.uri.path(),
        "rawQueryString": head.uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": "local.lambda-url.us-east-1.on.aws",
            "domainPrefix": "local",
            "http": {
                "method": head.method.as_str(),
                "path": head.uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "",
            },
            "requestId": Uuid::new_v4().to_string(),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "body": body,
        "isBase64Encoded": is_encoded,
    })
}

fn headers(head: &Parts) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        all.entry(name.as_str().to_owned())
            .and_modify(|known| *known = format!("{known},{value}"))
            .or_insert(value);
    }
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ] {
        all.insert(name.to_owned(), value.to_owned());
    }
    all
}

fn is_text(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let known = [
            "application/json",
            "application/xml",
            "application/javascript",
        ];
        kind.starts_with("text/") || known.contains(&kind)
    })
}
