//! Pages as large as a body may be.

use serde_json::Value;

use super::{accepted, append, end_of_log, path};
use crate::subject::{Remote, Response};

/// How long a body may be.
pub(crate) const LIMIT: usize = 4 * 1024 * 1024;

/// What a page has around its items, at most.
const FRAME: usize = 1024;

/// The changesets of a large stream, and the events of each.
const CHANGESETS: u64 = 100;
const EVENTS: usize = 10;

/// Writes a stream that fills more than one page; its number of changesets.
pub(crate) async fn large_stream(remote: &Remote, stream: &str) -> u64 {
    let text = "x".repeat(5000);
    let events = vec![format!(r#"{{"text":"{text}"}}"#); EVENTS].join(",");
    let body = bytes::Bytes::from(format!(r#"{{"events":[{events}]}}"#));
    for last in 0..CHANGESETS {
        append(remote, stream, last, body.clone()).await;
    }
    CHANGESETS
}

/// How one page leads to the next.
pub(crate) struct Walk {
    /// The call, with a query that ends before the cursor's value.
    path: String,
    /// What pages call their items.
    items: &'static str,
    /// What they call their cursor.
    next: &'static str,
    /// The limit of a page, if the call needs one.
    limit: Option<usize>,
}

impl Walk {
    /// Through a stream's changesets or events, forward; the query ends with `&` if there is one.
    pub(crate) fn stream(stream: &str, items: &'static str, query: &str) -> Self {
        Self {
            path: format!("{}/{items}?{query}from=", path(stream)),
            items,
            next: "next",
            limit: None,
        }
    }

    /// Through the changesets or events of the global order, as many at once as there may be.
    pub(crate) fn global(items: &'static str, query: &str) -> Self {
        Self {
            path: format!("/{items}?{query}checkpoint="),
            items,
            next: "next_checkpoint",
            limit: Some(1000),
        }
    }

    /// Reads all pages from a cursor on; no body passes the limit, and none is cut before it. The
    /// global order is read to where its end is now: a page that comes by it may be cut anywhere,
    /// as others may write.
    pub(crate) async fn follow(&self, remote: &Remote, begin: u64) -> Vec<Value> {
        let end = match self.limit {
            Some(_) => end_of_log(remote).await,
            None => u64::MAX,
        };
        let mut items = Vec::new();
        let mut cursor = begin.to_string();
        loop {
            let response = self.page(remote, &cursor, self.limit).await;
            let page = accepted(&response);
            let found = page[self.items].as_array().expect("items");
            let size = response.body.len();
            assert!(
                size <= LIMIT || found.len() == 1,
                "G5: {} items in {size} bytes",
                found.len()
            );
            items.extend(found.iter().cloned());
            let Some(next) = cursor_of(&page[self.next]).filter(|next| *next != cursor) else {
                return items;
            };
            if changeset_of(&next) >= end {
                return items;
            }
            if Some(found.len()) != self.limit {
                self.assert_full(remote, size, &next).await;
            }
            cursor = next;
        }
    }

    /// The first item of the next page would not have fit into the one before.
    async fn assert_full(&self, remote: &Remote, size: usize, next: &str) {
        let more = self.page(remote, next, Some(1)).await;
        let page = accepted(&more);
        let is_end = page[self.items].as_array().is_none_or(Vec::is_empty);
        let one = more.body.len();
        assert!(
            is_end || size + one + FRAME > LIMIT,
            "G5: the page before {next} has {size} bytes; {one} more would fit"
        );
    }

    async fn page(&self, remote: &Remote, cursor: &str, limit: Option<usize>) -> Response {
        let limit = limit.map_or_else(String::new, |limit| format!("&limit={limit}"));
        remote.get(&format!("{}{cursor}{limit}", self.path)).await
    }
}

/// The first part of `c` or `c.i`.
fn changeset_of(cursor: &str) -> u64 {
    let number = cursor.split('.').next().and_then(|c| c.parse().ok());
    number.expect("a cursor")
}

fn cursor_of(next: &Value) -> Option<String> {
    match next {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
