//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): which
//! requests ask for them, and how they are written.

use std::fmt::Display;
use std::io::Write;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use serde::Serialize;

use crate::codes;
use crate::error::ApiError;
use crate::json::append;

/// The media type.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// The header with which a client goes on behind the last event that it received.
const LAST_EVENT_ID: &str = "last-event-id";

/// What a client receives at once: it connects again after a second if the connection breaks.
pub(crate) const BEGINNING: &str = "retry: 1000\n\n";

/// A comment, which shows that the connection lives.
pub(crate) const KEEP_ALIVE: &str = ":\n\n";

/// Whether a request asks for an event stream: `Accept` has its media type, and not JSON too.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    let accepted = accepted.filter_map(|accept| accept.to_str().ok());
    let mut is_listed = false;
    for range in accepted.flat_map(|accept| accept.split(',')) {
        match range.split(';').next().unwrap_or_default().trim() {
            EVENT_STREAM => is_listed = true,
            "application/json" | "*/*" => return false,
            _ => {}
        }
    }
    is_listed
}

/// The id of the last event that a client received. `parse` reads it.
pub(crate) fn last_event_id<C>(
    headers: &HeaderMap,
    parse: impl Fn(&str) -> Option<C>,
) -> Result<Option<C>, ApiError> {
    let Some(given) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    let text = given.to_str().unwrap_or("?");
    parse(text).map(Some).ok_or_else(|| {
        let message = format!("`Last-Event-ID: {text}`: expected the `id` of a received event");
        ApiError::bad_request(codes::INVALID_CHECKPOINT, message)
    })
}

/// Writes one event. Its data is one line: JSON has line breaks only between tokens, where a space
/// means the same.
pub(crate) fn write(text: &mut Vec<u8>, event: &str, id: impl Display, data: &impl Serialize) {
    // Writing to memory cannot fail.
    let _ = write!(text, "event: {event}\nid: {id}\ndata: ");
    let begin = text.len();
    append(text, data);
    for byte in text.get_mut(begin..).unwrap_or_default() {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    text.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn a_stream_is_wanted_where_nothing_else_is() {
        for (accept, expected) in [
            ("text/event-stream", true),
            (" text/event-stream ", true),
            ("text/event-stream; charset=utf-8, text/plain", true),
            ("text/event-stream, */*", false),
            ("application/json, text/event-stream", false),
            ("*/*", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(is_wanted(&headers), expected, "{accept}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }

    #[test]
    fn data_is_one_line() {
        let json: Box<RawValue> = serde_json::from_str("{\"a\":\r\n[1,\n\"\\n\"]}").unwrap();
        let mut text = Vec::new();
        write(&mut text, "changeset", 7, &json);
        let expected = "event: changeset\nid: 7\ndata: {\"a\":  [1, \"\\n\"]}\n\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
