//! The items of pages: changesets and events.

use ees_core::{Changeset, Checkpoint, CommitId, Event, GlobalEvent};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::Raw;

/// A changeset, as it was committed.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ChangesetItem<'a> {
    /// In pages of the global order: its stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream_id: Option<&'a str>,
    /// Its id: its number in the stream.
    #[schema(minimum = 1)]
    pub(crate) changeset_id: u64,
    /// Its events, verbatim.
    #[schema(value_type = Vec<serde_json::Value>)]
    pub(crate) events: Raw<'a>,
    /// Its metadata, verbatim.
    #[schema(value_type = serde_json::Value)]
    pub(crate) metadata: Raw<'a>,
    /// In pages of the global order, and with `details=true` if it already has one: its position in
    /// the global order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checkpoint: Option<u64>,
    /// With `details=true`: the time of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) timestamp: Option<String>,
    /// With `details=true`, and in conflicts: the id of its first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_event_id: Option<u64>,
    /// With `details=true`, and in conflicts: the id of its last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_event_id: Option<u64>,
    /// With `details=true`: the idempotency key of its commit, the client's or the one that the store
    /// generated. Absent if it was stored without one, in a table that was taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<&'a str>,
    /// With `details=true`, if it was committed with others: its place in the set, `/`, the number of
    /// changesets, `:` and a digest of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1/2:7b0a0c1d...")]
    pub(crate) set: Option<String>,
}

impl<'a> ChangesetItem<'a> {
    /// An item of a page of its stream.
    pub(crate) fn of_stream(changeset: &'a Changeset, details: bool) -> Self {
        Self {
            stream_id: None,
            changeset_id: changeset.changeset_id.get(),
            events: Raw::from(&changeset.events),
            metadata: Raw::from(&changeset.metadata),
            checkpoint: changeset
                .checkpoint
                .filter(|_| details)
                .map(Checkpoint::get),
            timestamp: details.then(|| changeset.timestamp.to_string()),
            first_event_id: details.then(|| changeset.first_event_id.get()),
            last_event_id: details.then(|| changeset.last_event_id.get()),
            idempotency_key: details
                .then(|| changeset.commit_id.as_str())
                .filter(|key| *key != CommitId::NONE),
            set: changeset.set.filter(|_| details).map(|set| set.to_string()),
        }
    }

    /// An item of a conflict. It always has its event ids, for a writer that expects an event.
    pub(crate) fn of_conflict(changeset: &'a Changeset, details: bool) -> Self {
        Self {
            first_event_id: Some(changeset.first_event_id.get()),
            last_event_id: Some(changeset.last_event_id.get()),
            ..Self::of_stream(changeset, details)
        }
    }

    /// An item of a page of the global order.
    pub(crate) fn of_all(changeset: &'a Changeset, details: bool) -> Self {
        Self {
            stream_id: Some(changeset.stream_id.as_str()),
            checkpoint: changeset.checkpoint.map(Checkpoint::get),
            ..Self::of_stream(changeset, details)
        }
    }
}

/// An event of a stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventItem<'a> {
    /// Its id: its number in the stream.
    #[schema(minimum = 1)]
    pub(crate) id: u64,
    /// The event, verbatim.
    #[schema(value_type = serde_json::Value)]
    pub(crate) data: Raw<'a>,
    /// With `details=true`: the id of its changeset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changeset_id: Option<u64>,
    /// With `details=true`: the metadata of its changeset, verbatim.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub(crate) metadata: Option<Raw<'a>>,
    /// With `details=true`: the time of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) timestamp: Option<String>,
}

impl<'a> EventItem<'a> {
    pub(crate) fn new(event: &'a Event, details: bool) -> Self {
        Self {
            id: event.event_id.get(),
            data: Raw::from(&event.data),
            changeset_id: details.then(|| event.changeset_id.get()),
            metadata: details.then(|| Raw::from(&event.metadata)),
            timestamp: details.then(|| event.timestamp.to_string()),
        }
    }
}

/// An event of the global order.
#[derive(Serialize, ToSchema)]
pub(crate) struct GlobalEventItem<'a> {
    /// Its stream.
    pub(crate) stream_id: &'a str,
    /// The id of its changeset.
    #[schema(minimum = 1)]
    pub(crate) changeset_id: u64,
    /// Its id: its number in the stream.
    #[schema(minimum = 1)]
    pub(crate) event_id: u64,
    /// The event, verbatim.
    #[schema(value_type = serde_json::Value)]
    pub(crate) data: Raw<'a>,
    /// Its position in the global order, `c.i`.
    #[schema(example = "17.0")]
    pub(crate) checkpoint: String,
    /// With `details=true`: the metadata of its changeset, verbatim.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub(crate) metadata: Option<Raw<'a>>,
    /// With `details=true`: the time of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) timestamp: Option<String>,
}

impl<'a> GlobalEventItem<'a> {
    pub(crate) fn new(global: &'a GlobalEvent, details: bool) -> Self {
        Self {
            stream_id: global.stream_id.as_str(),
            changeset_id: global.event.changeset_id.get(),
            event_id: global.event.event_id.get(),
            data: Raw::from(&global.event.data),
            checkpoint: global.checkpoint.to_string(),
            metadata: details.then(|| Raw::from(&global.event.metadata)),
            timestamp: details.then(|| global.event.timestamp.to_string()),
        }
    }
}
