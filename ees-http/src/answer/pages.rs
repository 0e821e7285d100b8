//! Pages of a stream and of the global order.

use serde::Serialize;
use utoipa::ToSchema;

// `utoipa` looks the items up by name.
use super::items::{ChangesetItem, EventItem, GlobalEventItem};
use crate::json::Raw;

/// A page of a stream's changesets.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamChangesets<'a> {
    /// The stream.
    pub(crate) stream_id: &'a str,
    /// The changesets, in the requested order.
    #[schema(value_type = Vec<ChangesetItem>)]
    pub(crate) changesets: Raw<'a>,
    /// If more remain: the `from` (backward: the `to`) of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
    /// If the request has a `wait` above the maximum: the number of seconds that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<u64>,
}

/// A page of a stream's events.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamEvents<'a> {
    /// The stream.
    pub(crate) stream_id: &'a str,
    /// The events, in the requested order.
    #[schema(value_type = Vec<EventItem>)]
    pub(crate) events: Raw<'a>,
    /// If more remain: the `from` (backward: the `to`) of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
    /// If the request has a `wait` above the maximum: the number of seconds that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<u64>,
}

/// A page of all changesets.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllChangesets<'a> {
    /// The checkpoint at which the page begins; with `direction=backward`, before which it begins.
    pub(crate) checkpoint: u64,
    /// The limit of the page, at most 1000.
    #[schema(minimum = 1, maximum = 1000)]
    pub(crate) limit: u64,
    /// The changesets, by checkpoint, in the requested direction.
    #[schema(value_type = Vec<ChangesetItem>)]
    pub(crate) changesets: Raw<'a>,
    /// The checkpoint to read from next.
    pub(crate) next_checkpoint: u64,
    /// With `details=true`: the head of the global order, the checkpoint that the next changeset will
    /// get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) head: Option<u64>,
    /// If the request has a `wait` above the maximum: the number of seconds that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<u64>,
}

/// A page of all events.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllEvents<'a> {
    /// The checkpoint at which the page begins, `c.i`; with `direction=backward`, before which it
    /// begins.
    #[schema(example = "17.0")]
    pub(crate) checkpoint: String,
    /// The limit of the page, at most 1000.
    #[schema(minimum = 1, maximum = 1000)]
    pub(crate) limit: u64,
    /// The events, by checkpoint, in the requested direction.
    #[schema(value_type = Vec<GlobalEventItem>)]
    pub(crate) events: Raw<'a>,
    /// The checkpoint to read from next, `c.i`.
    #[schema(example = "18.0")]
    pub(crate) next_checkpoint: String,
    /// With `details=true`: the head of the global order, the checkpoint that the next changeset will
    /// get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) head: Option<u64>,
    /// If the request has a `wait` above the maximum: the number of seconds that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<u64>,
}
