//! An answer and its parts.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The statuses of the answers that the front may give to the request.
    pub(super) front: &'static [u16],
}

impl Response {
    /// Whether this may be the answer of what stands before the store, and not the store's.
    pub(crate) fn is_of_the_front(&self) -> bool {
        self.front.contains(&self.status.as_u16())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// The body as JSON. Numbers that fit into none of Rust's are null: the order may tell of what
    /// others committed.
    pub fn json(&self) -> serde_json::Value {
        let plain = serde_json::from_slice(&self.body);
        plain.unwrap_or_else(|_| lenient(self.read()))
    }

    /// A header's value, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.status, self.text()))
    }
}

fn lenient(raw: &RawValue) -> serde_json::Value {
    let text = raw.get();
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        return items.into_iter().map(lenient).collect();
    }
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        let fields = fields.into_iter();
        return fields.map(|(name, value)| (name, lenient(value))).collect();
    }
    serde_json::from_str(text).unwrap_or_default()
}
