//! What a message says beside its body, for subscribers that filter.

use std::sync::Arc;

use super::noncharacters::without_noncharacters;
use crate::{Events, StreamId};

/// The largest list of event types, in bytes of JSON.
const MAX_TYPES_BYTES: usize = 1024;

/// Ends the part of a stream id that says of which kind the stream is.
const END_OF_PREFIX: char = '-';

/// The stream id up to its first `-`, or the whole id if it has none; `None` if that is empty or
/// contains a character that queues refuse.
pub(super) fn stream_prefix(stream_id: &StreamId) -> Option<String> {
    let prefix = stream_id.as_str().split(END_OF_PREFIX).next()?;
    let is_sent = !prefix.is_empty() && !prefix.contains(['\u{fffe}', '\u{ffff}']);
    is_sent.then(|| prefix.to_owned())
}

/// The distinct types of events as a JSON array of strings; `None` if there are none, or if they are
/// too long.
pub(super) fn event_types(events: &Events) -> Option<String> {
    let kept: Arc<str> = events.types()?;
    let types: Vec<_> = crate::event_type::each(&kept).collect();
    if types.is_empty() {
        return None;
    }
    let json = without_noncharacters(serde_json::Value::from(types).to_string());
    (json.len() <= MAX_TYPES_BYTES).then_some(json)
}
