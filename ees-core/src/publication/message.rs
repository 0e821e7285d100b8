//! The content of messages, as documented in `docs/publishing.md`.

use std::iter;

use sha2::{Digest, Sha224, Sha256};

use crate::ports::Message;
use crate::{Changeset, EventId, Events};

use super::attributes::{event_types, stream_prefix};
use super::noncharacters::without_noncharacters;

/// The smallest valid message limit of a publisher: the size of a message without its payload whose
/// stream id has the maximum length and is fully escaped.
pub const MIN_MESSAGE_BYTES: usize = 4 * 1024;

/// The message of a changeset.
pub(super) fn of_changeset(changeset: &Changeset, limit: usize) -> Message {
    let names = names(changeset);
    let (events, metadata) = (changeset.events.as_str(), changeset.metadata.as_str());
    let ids = [changeset.changeset_id.get()];
    message(
        changeset,
        &ids,
        &changeset.events,
        limit,
        &[
            &|| format!(r#"{{{names},"events":{events},"metadata":{metadata}}}"#),
            &|| format!(r#"{{{names},"metadata":{metadata},"truncated":true}}"#),
            &|| format!(r#"{{{names},"truncated":true}}"#),
        ],
    )
}

/// The message, to the topic of events, of a changeset of which no event is sent alone. Its event id is
/// the last one, so that subscribers that compare ids take it for new once.
pub(super) fn of_many_events(changeset: &Changeset, limit: usize) -> Message {
    let names = names(changeset);
    let (first, last) = (changeset.first_event_id, changeset.last_event_id);
    let ids = [changeset.changeset_id.get(), last.get()];
    message(
        changeset,
        &ids,
        &changeset.events,
        limit,
        &[&|| {
            format!(r#"{{{names},"first_event_id":{first},"event_id":{last},"truncated":true}}"#)
        }],
    )
}

/// The message of an event.
pub(super) fn of_event(
    changeset: &Changeset,
    event_id: EventId,
    data: &str,
    limit: usize,
) -> Message {
    let names = names(changeset);
    let ids = [changeset.changeset_id.get(), event_id.get()];
    let event = Events::trusted(format!("[{data}]"), 1);
    message(
        changeset,
        &ids,
        &event,
        limit,
        &[
            &|| format!(r#"{{{names},"event_id":{event_id},"data":{data}}}"#),
            &|| format!(r#"{{{names},"event_id":{event_id},"truncated":true}}"#),
        ],
    )
}

fn names(changeset: &Changeset) -> String {
    let stream_id = serde_json::Value::from(changeset.stream_id.as_str());
    let changeset_id = changeset.changeset_id;
    format!(r#""stream_id":{stream_id},"changeset_id":{changeset_id}"#)
}

/// A message with the first of these bodies that is within the limit. The last one always is.
///
/// The ids at the end, the same number for each message of a topic, keep the deduplication id
/// unambiguous.
fn message(
    changeset: &Changeset,
    ids: &[u64],
    events: &Events,
    limit: usize,
    bodies: &[&dyn Fn() -> String],
) -> Message {
    let stream_id = changeset.stream_id.as_str();
    let ids = ids.iter().map(u64::to_string);
    let named = iter::once(stream_id.to_owned()).chain(ids);
    let named = named.collect::<Vec<_>>().join("/");
    let mut message = Message {
        group: format!("{:x}", Sha224::digest(stream_id)),
        deduplication_id: format!("{:x}", Sha256::digest(named)),
        body: String::new(),
        stream_prefix: stream_prefix(&changeset.stream_id),
        event_types: event_types(events),
    };
    if message.bytes() + MIN_MESSAGE_BYTES > limit {
        (message.stream_prefix, message.event_types) = (None, None);
    }
    let room = limit.saturating_sub(message.bytes());
    let mut bodies = bodies.iter().map(|body| without_noncharacters(body()));
    message.body = bodies.find(|body| body.len() <= room).unwrap_or_default();
    message
}
