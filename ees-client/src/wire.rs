//! Answers as they are on the wire.

use std::borrow::Cow;

use ees_core::adapter::{trusted_events, trusted_json};
use ees_core::{
    ChangesetId, Checkpoint, CommitId, EventCheckpoint, EventId, Events, Json, NewChangeset,
    StreamId, Timestamp,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::model::{Changeset, Committed, Conflict, Event};

/// A changeset. A page of one stream has the stream outside.
#[derive(Deserialize)]
pub(crate) struct WireChangeset<'a> {
    stream_id: Option<StreamId>,
    changeset_id: ChangesetId,
    #[serde(borrow)]
    events: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "present")]
    metadata: Option<&'a RawValue>,
    checkpoint: Option<Checkpoint>,
    timestamp: Option<Timestamp>,
    first_event_id: Option<EventId>,
    last_event_id: Option<EventId>,
    idempotency_key: Option<CommitId>,
}

/// An event. A page of one stream calls its number `id`.
#[derive(Deserialize)]
pub(crate) struct WireEvent<'a> {
    stream_id: Option<StreamId>,
    #[serde(alias = "id")]
    event_id: EventId,
    #[serde(borrow)]
    data: &'a RawValue,
    changeset_id: Option<ChangesetId>,
    checkpoint: Option<EventCheckpoint>,
    #[serde(borrow, default, deserialize_with = "present")]
    metadata: Option<&'a RawValue>,
    timestamp: Option<Timestamp>,
}

/// A commit that is stored.
#[derive(Deserialize)]
pub(crate) struct WireCommitted<'a> {
    #[serde(borrow)]
    stream_id: Cow<'a, str>,
    changeset_id: ChangesetId,
    checkpoint: Option<Checkpoint>,
    timestamp: Option<Timestamp>,
    first_event_id: Option<EventId>,
    last_event_id: Option<EventId>,
}

/// A stream that is not as expected.
#[derive(Deserialize)]
pub(crate) struct WireConflict<'a> {
    stream_id: StreamId,
    #[serde(default)]
    last_changeset: u64,
    #[serde(default)]
    last_event: u64,
    #[serde(borrow, default)]
    forthcoming_changesets: Vec<WireChangeset<'a>>,
    next: Option<u64>,
}

/// A value that is there, though it may be `null`.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

/// The stream of an item, or the one of its page.
fn stream_of(
    own: Option<StreamId>,
    outside: Option<&StreamId>,
) -> Result<StreamId, serde_json::Error> {
    own.or_else(|| outside.cloned())
        .ok_or_else(|| serde_json::Error::custom("missing field `stream_id`"))
}

/// An item on the wire.
pub(crate) trait WireItem<'de>: Deserialize<'de> {
    type Item;

    /// The item; `outside` is the stream of its page.
    fn into_item(self, outside: Option<&StreamId>) -> Result<Self::Item, serde_json::Error>;
}

impl<'de> WireItem<'de> for WireChangeset<'de> {
    type Item = Changeset;

    fn into_item(self, outside: Option<&StreamId>) -> Result<Changeset, serde_json::Error> {
        Ok(Changeset {
            stream_id: stream_of(self.stream_id, outside)?,
            changeset_id: self.changeset_id,
            events: events(self.events)?,
            metadata: self.metadata.map(json).unwrap_or_default(),
            checkpoint: self.checkpoint,
            timestamp: self.timestamp,
            first_event_id: self.first_event_id,
            last_event_id: self.last_event_id,
            idempotency_key: self.idempotency_key,
        })
    }
}

impl<'de> WireItem<'de> for WireEvent<'de> {
    type Item = Event;

    fn into_item(self, outside: Option<&StreamId>) -> Result<Event, serde_json::Error> {
        Ok(Event {
            stream_id: stream_of(self.stream_id, outside)?,
            event_id: self.event_id,
            data: json(self.data),
            changeset_id: self.changeset_id,
            checkpoint: self.checkpoint,
            metadata: self.metadata.map(json),
            timestamp: self.timestamp,
        })
    }
}

/// A page of a stream.
#[derive(Deserialize)]
struct StreamPage<W> {
    stream_id: StreamId,
    #[serde(rename = "changesets", alias = "events")]
    items: Vec<W>,
    next: Option<u64>,
}

/// A page of the global order.
#[derive(Deserialize)]
pub(crate) struct GlobalPage<T, P> {
    #[serde(rename = "changesets", alias = "events")]
    pub(crate) items: Vec<T>,
    /// Where it begins.
    pub(crate) checkpoint: P,
    /// Where the next one begins.
    pub(crate) next_checkpoint: P,
}

/// The items of a page of a stream, and where the next page begins.
pub(crate) fn stream_page<'de, W: WireItem<'de>>(
    body: &'de [u8],
) -> Result<(Vec<W::Item>, Option<u64>), serde_json::Error> {
    let page: StreamPage<W> = serde_json::from_slice(body)?;
    let items = page.items.into_iter();
    let items = items.map(|wire| wire.into_item(Some(&page.stream_id)));
    Ok((items.collect::<Result<_, _>>()?, page.next))
}

/// A page of the global order.
pub(crate) fn global_page<'de, W: WireItem<'de>, P: Deserialize<'de>>(
    body: &'de [u8],
) -> Result<GlobalPage<W::Item, P>, serde_json::Error> {
    let page: GlobalPage<W, P> = serde_json::from_slice(body)?;
    let items = page.items.into_iter().map(|wire| wire.into_item(None));
    Ok(GlobalPage {
        items: items.collect::<Result<_, _>>()?,
        checkpoint: page.checkpoint,
        next_checkpoint: page.next_checkpoint,
    })
}

impl WireCommitted<'_> {
    /// What was stored of a commit. The answer tells its stream once more.
    pub(crate) fn into_committed(
        self,
        asked: Option<&NewChangeset>,
        key: &CommitId,
        replayed: bool,
    ) -> Result<Committed, serde_json::Error> {
        let asked = asked.map(|asked| &asked.stream_id);
        let stream_id = match asked.filter(|asked| asked.as_str() == self.stream_id) {
            Some(asked) => asked.clone(),
            None => self.stream_id.parse().map_err(serde_json::Error::custom)?,
        };
        Ok(Committed {
            stream_id,
            changeset_id: self.changeset_id,
            idempotency_key: key.clone(),
            replayed,
            checkpoint: self.checkpoint,
            timestamp: self.timestamp,
            first_event_id: self.first_event_id,
            last_event_id: self.last_event_id,
        })
    }
}

impl WireConflict<'_> {
    pub(crate) fn into_conflict(self) -> Result<Conflict, serde_json::Error> {
        let stream_id = self.stream_id;
        let missed = self.forthcoming_changesets.into_iter();
        let forthcoming = missed.map(|changeset| changeset.into_item(Some(&stream_id)));
        Ok(Conflict {
            forthcoming: forthcoming.collect::<Result<_, _>>()?,
            stream_id,
            last_changeset: self.last_changeset,
            last_event: self.last_event,
            next: self.next,
        })
    }
}

/// The store has checked payloads when they were committed.
fn json(raw: &RawValue) -> Json {
    trusted_json(raw.get())
}

fn events(raw: &RawValue) -> Result<Events, serde_json::Error> {
    let array = raw.get();
    if !array.starts_with('[') {
        return Err(serde_json::Error::custom("`events` is not an array"));
    }
    let count = trusted_events(array, 0).iter().count() as u64;
    Ok(trusted_events(array, count))
}
