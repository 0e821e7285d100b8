//! What is answered: the wire contract's types, of which the OpenAPI description is made too.

use std::io;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use ees_core::{Changeset, Checkpoint, Event, GlobalEvent, Head, Receipt, Statistics, StreamId};
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;
use utoipa::ToSchema;

/// JSON text that goes into an answer as it is.
///
/// `serde_json` takes raw text only after parsing it again. So the text is serialised as bytes, and
/// [`to_json`] writes bytes as they are.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a>(pub(crate) &'a str);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_bytes())
    }
}

/// Writes bytes verbatim; otherwise as `serde_json` does.
struct Verbatim;

impl Formatter for Verbatim {
    fn write_byte_array<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        value: &[u8],
    ) -> io::Result<()> {
        writer.write_all(value)
    }
}

/// Writes an answer. The answers' own types cannot fail to serialise.
pub(crate) fn to_json(answer: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::new();
    write_json(&mut json, answer);
    json
}

/// Writes an answer behind what stands there already.
pub(crate) fn write_json(json: &mut Vec<u8>, answer: &impl Serialize) {
    let mut serializer = serde_json::Serializer::with_formatter(json, Verbatim);
    let written = answer.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "an answer of plain fields serialises");
}

/// A 200 with a JSON body.
pub(crate) fn ok(json: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}

/// The answer to a commit.
#[derive(Serialize, ToSchema)]
pub(crate) struct Committed<'a> {
    /// The stream.
    pub(crate) stream_id: &'a str,
    /// The changeset's number in the stream.
    #[schema(minimum = 1)]
    pub(crate) changeset_id: u64,
    /// With `details=true`: the number of its first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_event_id: Option<u64>,
    /// With `details=true`: the number of its last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_event_id: Option<u64>,
    /// With `details=true`: when it was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) timestamp: Option<String>,
    /// With `details=true`: its position in the global order, where it has one already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checkpoint: Option<u64>,
}

impl<'a> Committed<'a> {
    pub(crate) fn new(receipt: &'a Receipt, details: bool) -> Self {
        Self {
            stream_id: receipt.stream_id.as_str(),
            changeset_id: receipt.changeset_id.get(),
            first_event_id: details.then(|| receipt.first_event_id.get()),
            last_event_id: details.then(|| receipt.last_event_id.get()),
            timestamp: details.then(|| receipt.timestamp.to_string()),
            checkpoint: receipt.checkpoint.filter(|_| details).map(Checkpoint::get),
        }
    }
}

/// The end of a stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamHead<'a> {
    /// The stream.
    pub(crate) stream_id: &'a str,
    /// The number of its last changeset.
    #[schema(minimum = 1)]
    pub(crate) last_changeset: u64,
    /// The number of its last event.
    #[schema(minimum = 1)]
    pub(crate) last_event: u64,
    /// When its last changeset was committed.
    #[schema(format = DateTime)]
    pub(crate) last_timestamp: String,
}

impl<'a> StreamHead<'a> {
    pub(crate) fn new(stream_id: &'a StreamId, head: &Head) -> Self {
        Self {
            stream_id: stream_id.as_str(),
            last_changeset: head.last_changeset.get(),
            last_event: head.last_event.get(),
            last_timestamp: head.last_timestamp.to_string(),
        }
    }
}

/// A changeset, as it was committed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangesetItem<'a> {
    /// In the global order: its stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream_id: Option<&'a str>,
    /// Its number in the stream.
    #[schema(minimum = 1)]
    pub(crate) changeset_id: u64,
    /// Its events, verbatim.
    #[schema(value_type = Vec<serde_json::Value>)]
    pub(crate) events: Raw<'a>,
    /// Its metadata, verbatim.
    #[schema(value_type = serde_json::Value)]
    pub(crate) metadata: Raw<'a>,
    /// In the global order, and with `details=true` where it has one already: its position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checkpoint: Option<u64>,
    /// With `details=true`: when it was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) timestamp: Option<String>,
    /// With `details=true`: the number of its first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_event_id: Option<u64>,
    /// With `details=true`: the number of its last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_event_id: Option<u64>,
}

impl<'a> ChangesetItem<'a> {
    /// As a stream's reader gets it.
    pub(crate) fn of_stream(changeset: &'a Changeset, details: bool) -> Self {
        Self {
            stream_id: None,
            changeset_id: changeset.changeset_id.get(),
            events: Raw(changeset.events.as_str()),
            metadata: Raw(changeset.metadata.as_str()),
            checkpoint: changeset
                .checkpoint
                .filter(|_| details)
                .map(Checkpoint::get),
            timestamp: details.then(|| changeset.timestamp.to_string()),
            first_event_id: details.then(|| changeset.first_event_id.get()),
            last_event_id: details.then(|| changeset.last_event_id.get()),
        }
    }

    /// As a reader of the global order gets it.
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
    /// Its number in the stream.
    #[schema(minimum = 1)]
    pub(crate) id: u64,
    /// The event, verbatim.
    #[schema(value_type = serde_json::Value)]
    pub(crate) data: Raw<'a>,
    /// With `details=true`: when its changeset was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) timestamp: Option<String>,
}

impl<'a> EventItem<'a> {
    pub(crate) fn new(event: &'a Event, details: bool) -> Self {
        Self {
            id: event.event_id.get(),
            data: Raw(event.data.as_str()),
            timestamp: details.then(|| event.timestamp.to_string()),
        }
    }
}

/// An event of the global order.
#[derive(Serialize, ToSchema)]
pub(crate) struct GlobalEventItem<'a> {
    /// Its stream.
    pub(crate) stream_id: &'a str,
    /// Its changeset's number in the stream.
    #[schema(minimum = 1)]
    pub(crate) changeset_id: u64,
    /// Its number in the stream.
    #[schema(minimum = 1)]
    pub(crate) event_id: u64,
    /// The event, verbatim.
    #[schema(value_type = serde_json::Value)]
    pub(crate) data: Raw<'a>,
    /// Its position, `c.i`.
    #[schema(example = "17.0")]
    pub(crate) checkpoint: String,
    /// With `details=true`: when its changeset was committed.
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
            data: Raw(global.event.data.as_str()),
            checkpoint: global.checkpoint.to_string(),
            timestamp: details.then(|| global.event.timestamp.to_string()),
        }
    }
}

/// A page of a stream's changesets.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamChangesets<'a> {
    /// The stream.
    pub(crate) stream_id: &'a str,
    /// The changesets, in the order asked for.
    #[schema(value_type = Vec<ChangesetItem>)]
    pub(crate) changesets: Raw<'a>,
    /// Where more remain: the `from` (backward: the `to`) of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
}

/// A page of a stream's events.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamEvents<'a> {
    /// The stream.
    pub(crate) stream_id: &'a str,
    /// The events, in the order asked for.
    #[schema(value_type = Vec<EventItem>)]
    pub(crate) events: Raw<'a>,
    /// Where more remain: the `from` (backward: the `to`) of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
}

/// A page of all changesets.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllChangesets<'a> {
    /// The checkpoint read from.
    pub(crate) checkpoint: u64,
    /// The limit used.
    #[schema(minimum = 1, maximum = 1000)]
    pub(crate) limit: u64,
    /// The changesets, by checkpoint.
    #[schema(value_type = Vec<ChangesetItem>)]
    pub(crate) changesets: Raw<'a>,
    /// The checkpoint to read from next.
    pub(crate) next_checkpoint: u64,
}

/// A page of all events.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllEvents<'a> {
    /// The checkpoint read from, `c.i`.
    #[schema(example = "17.0")]
    pub(crate) checkpoint: String,
    /// The limit used.
    #[schema(minimum = 1, maximum = 1000)]
    pub(crate) limit: u64,
    /// The events, by checkpoint.
    #[schema(value_type = Vec<GlobalEventItem>)]
    pub(crate) events: Raw<'a>,
    /// The checkpoint to read from next, `c.i`.
    #[schema(example = "18.0")]
    pub(crate) next_checkpoint: String,
}

/// The counts of the whole store.
#[derive(Serialize, ToSchema)]
pub(crate) struct StoreStatistics {
    /// Streams that hold something.
    pub(crate) total_streams: u64,
    /// Changesets.
    pub(crate) total_changesets: u64,
    /// Events.
    pub(crate) total_events: u64,
    /// The length of the longest stream, in changesets.
    pub(crate) max_stream_length: u64,
    /// The counts are exact for all checkpoints below this one.
    pub(crate) statistics_version: u64,
}

impl From<Statistics> for StoreStatistics {
    fn from(statistics: Statistics) -> Self {
        Self {
            total_streams: statistics.total_streams,
            total_changesets: statistics.total_changesets,
            total_events: statistics.total_events,
            max_stream_length: statistics.max_stream_length,
            statistics_version: statistics.version.get(),
        }
    }
}

/// The version of the program.
#[derive(Serialize, ToSchema)]
pub(crate) struct Version {
    /// The version.
    #[schema(value_type = String)]
    pub(crate) version: &'static str,
}

/// The state of the server.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `live` or `ready`.
    pub(crate) status: &'static str,
}
