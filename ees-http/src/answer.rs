//! The bodies of answers. The OpenAPI description is made of the same types.

mod consumers;
mod items;
mod log;
mod pages;
mod sets;

use std::collections::BTreeMap;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use ees_core::{Checkpoint, Head, Receipt, Statistics, StreamId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::to_json;

pub(crate) use consumers::{
    ConsumerBatch, ConsumerNames, ConsumerState, Done, ParkedItem, ParkedStreams,
};
pub(crate) use items::{ChangesetItem, EventItem, GlobalEventItem};
pub(crate) use log::{LogConsistency, SealedLog};
pub(crate) use pages::{AllChangesets, AllEvents, StreamChangesets, StreamEvents};
pub(crate) use sets::{CommittedSet, UnmetItem};

/// A 200 with a JSON body.
pub(crate) fn ok(mut json: Vec<u8>) -> Response {
    json.push(b'\n');
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}

/// A 200 with an answer.
pub(crate) fn answer(answer: &impl Serialize) -> Response {
    ok(to_json(answer))
}

/// The answer to a commit.
#[derive(Serialize, ToSchema)]
pub(crate) struct Committed<'a> {
    /// The stream.
    pub(crate) stream_id: &'a str,
    /// The changeset's id: its number in the stream.
    #[schema(minimum = 1)]
    pub(crate) changeset_id: u64,
    /// With `details=true`: the id of its first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_event_id: Option<u64>,
    /// With `details=true`: the id of its last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_event_id: Option<u64>,
    /// With `details=true`: the time of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) timestamp: Option<String>,
    /// With `details=true`: its position in the global order, if it already has one.
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
    /// The id of its last changeset.
    #[schema(minimum = 1)]
    pub(crate) last_changeset: u64,
    /// The id of its last event.
    #[schema(minimum = 1)]
    pub(crate) last_event: u64,
    /// The time of its last commit.
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

/// The counts of the whole store.
#[derive(Serialize, ToSchema)]
pub(crate) struct StoreStatistics {
    /// The number of streams.
    pub(crate) total_streams: u64,
    /// The number of changesets.
    pub(crate) total_changesets: u64,
    /// The number of events.
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

/// The calls to begin with.
#[derive(Serialize, ToSchema)]
pub(crate) struct Welcome {
    /// The name of the program.
    #[schema(value_type = String)]
    pub(crate) service: &'static str,
    /// Its version.
    #[schema(value_type = String)]
    pub(crate) version: &'static str,
    /// The paths of calls, by what they answer.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub(crate) links: BTreeMap<&'static str, &'static str>,
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
