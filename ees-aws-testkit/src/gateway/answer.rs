//! Converts the answer of a function to an HTTP response.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;

/// Returns `None` if the answer is not in the form of a proxy integration. A body in Base64 is
/// decoded if binary media types are set.
pub(super) fn to_response(answer: &Value, binary: bool) -> Option<Response> {
    let status = u16::try_from(answer["statusCode"].as_u64()?).ok()?;
    let body = match &answer["body"] {
        Value::Null => Vec::new(),
        Value::String(body) if binary && answer["isBase64Encoded"] == true => {
            BASE64_STANDARD.decode(body).ok()?
        }
        Value::String(body) => body.clone().into_bytes(),
        _ => return None,
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    let headers = response.headers_mut();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        headers.insert(parse_name(name)?, parse_value(value)?);
    }
    for (name, values) in answer["multiValueHeaders"]
        .as_object()
        .into_iter()
        .flatten()
    {
        headers.remove(name);
        for value in values.as_array()? {
            headers.append(parse_name(name)?, parse_value(value)?);
        }
    }
    // The gateway sets the length itself.
    headers.remove("content-length");
    if !headers.contains_key("content-type") {
        let json = HeaderValue::from_static("application/json");
        headers.insert("content-type", json);
    }
    Some(response)
}

fn parse_name(name: &str) -> Option<HeaderName> {
    name.parse().ok()
}

fn parse_value(value: &Value) -> Option<HeaderValue> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(_) | Value::Bool(_) => value.to_string().parse().ok(),
        _ => None,
    }
}
