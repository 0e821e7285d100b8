//! The `Link` header of a page of a stream.

use axum::http::HeaderValue;
use ees_core::{Direction, MAX_ID, PageLimit};

use crate::params::StreamRead;

/// The `Link` header that leads to the next page, which begins at `next`: a reference relative to
/// the URL of the request, as the path may be another one before a proxy.
pub(crate) fn next_page(read: &StreamRead, next: u64) -> Option<HeaderValue> {
    let (mut from, mut to) = (*read.ids.start(), *read.ids.end());
    match read.direction {
        Direction::Forward => from = next,
        Direction::Backward => to = next,
    }
    let mut query = Vec::new();
    if from > 0 {
        query.push(format!("from={from}"));
    }
    if to < MAX_ID {
        query.push(format!("to={to}"));
    }
    if read.limit != PageLimit::default() {
        query.push(format!("limit={}", read.limit.items));
    }
    if read.direction == Direction::Backward {
        query.push("direction=backward".to_owned());
    }
    if read.common.details {
        query.push("details=true".to_owned());
    }
    if read.common.pretty {
        query.push("pp=true".to_owned());
    }
    HeaderValue::try_from(format!("<?{}>; rel=\"next\"", query.join("&"))).ok()
}
