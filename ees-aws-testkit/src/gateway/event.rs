//! Converts a request to the event of a REST API's proxy integration.

use axum::http::request::Parts;
use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::rules;
use crate::template::Route;

/// The stage, with which every path begins.
pub(super) const STAGE: &str = "Prod";

/// A request under the stage.
pub(super) struct Asked {
    head: Parts,
    /// The path below the stage, with the client's encoding.
    path: String,
}

impl Asked {
    /// Reads a request; `None` if it is not under the stage.
    pub(super) fn new(head: Parts) -> Option<Self> {
        let path = head.uri.path().strip_prefix('/')?.strip_prefix(STAGE)?;
        let path = match path {
            "" => "/".to_owned(),
            path if path.starts_with('/') => rules::path(path),
            _ => return None,
        };
        Some(Self { head, path })
    }

    /// The request as it came.
    pub(super) fn head(&self) -> &Parts {
        &self.head
    }

    /// Whether a route matches the request.
    pub(super) fn fits(&self, route: &Route) -> bool {
        let fits_method = route.method == "ANY" || route.method == self.head.method.as_str();
        let fits_path = match route.path.split_once("{proxy+}") {
            Some((before, _)) => self.path.len() > before.len() && self.path.starts_with(before),
            None => self.path == route.path,
        };
        fits_method && fits_path
    }

    /// The event. The body is in Base64 if all media types are binary. Otherwise it is text, in
    /// which bytes that are not UTF-8 are replaced.
    pub(super) fn event(&self, resource: &str, body: &[u8], binary: bool) -> Value {
        let is_encoded = binary && !body.is_empty();
        let body = (!body.is_empty()).then(|| {
            if binary {
                BASE64_STANDARD.encode(body)
            } else {
                String::from_utf8_lossy(body).into_owned()
            }
        });
        let headers = self.headers();
        let query = self.query();
        let below = self.path.trim_start_matches('/');
        json!({
            "resource": resource,
            "path": self.path,
            "httpMethod": self.head.method.as_str(),
            "headers": last_of(&headers),
            "multiValueHeaders": headers,
            "queryStringParameters": last_of(&query),
            "multiValueQueryStringParameters": Some(query).filter(|query| !query.is_empty()),
            "pathParameters": resource.contains('{').then(|| json!({ "proxy": below })),
            "stageVariables": null,
            "requestContext": self.context(resource),
            "body": body,
            "isBase64Encoded": is_encoded,
        })
    }

    fn headers(&self) -> Map<String, Value> {
        let named = self.head.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let own = [
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Proto", "https"),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        gathered(named.chain(own))
    }

    fn query(&self) -> Map<String, Value> {
        let query = self.head.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        gathered(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())))
    }

    fn context(&self, resource: &str) -> Value {
        let now = Timestamp::now();
        let id = Uuid::new_v4().to_string();
        json!({
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "local.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "local",
            "extendedRequestId": id,
            "httpMethod": self.head.method.as_str(),
            "identity": {"sourceIp": "127.0.0.1", "userAgent": null, "userArn": null},
            "path": format!("/{STAGE}{}", self.path),
            "protocol": "HTTP/1.1",
            "requestId": id,
            "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "requestTimeEpoch": now.as_millisecond(),
            "resourceId": "local",
            "resourcePath": resource,
            "stage": STAGE,
        })
    }
}

/// Every value of each name.
fn gathered(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in pairs {
        let values = all.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(json!(value));
        }
    }
    all
}

/// The last value of each name; null if there is none at all.
fn last_of(all: &Map<String, Value>) -> Option<Map<String, Value>> {
    let last = |(name, values): (&String, &Value)| {
        let last = values.as_array().and_then(|values| values.last());
        (name.clone(), last.cloned().unwrap_or_default())
    };
    (!all.is_empty()).then(|| all.iter().map(last).collect())
}
