//! Consumers: how far they have come, their batches and their parked streams.

use std::time::Duration;

use ees_core::consumer::{ConsumerReport, ParkedStream, PartitionReport};
use serde::Serialize;
use utoipa::ToSchema;

// `utoipa` looks the items up by name.
use super::items::ChangesetItem;
use crate::json::Raw;

/// All consumers.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsumerNames {
    /// Their names, in ascending order.
    pub(crate) consumers: Vec<String>,
}

/// A consumer, and how far it has come.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsumerState<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its definition, with defaults filled in.
    #[schema(value_type = serde_json::Value)]
    pub(crate) definition: &'a ees_core::consumer::ConsumerDefinition,
    /// How far it is behind.
    pub(crate) lag: ConsumerLag,
    /// Its partitions.
    pub(crate) partitions: Vec<ConsumerPartition<'a>>,
    /// With `passed`: whether every partition is beyond that position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passed: Option<bool>,
    /// With `passed`: how many streams are parked at or before that position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parked_before: Option<usize>,
}

/// How far a consumer is behind.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsumerLag {
    /// The number of changesets after its lowest checkpoint.
    pub(crate) changesets: u64,
    /// The age of the first of them; 0 if there is none.
    pub(crate) seconds: f64,
}

/// A partition of a consumer.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsumerPartition<'a> {
    /// Its number, from 0.
    pub(crate) partition: usize,
    /// The first position that is not handled.
    pub(crate) checkpoint: u64,
    /// The generation of its last batch; 0 if there was none.
    pub(crate) generation: u64,
    /// If a batch is out: who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) worker: Option<&'a str>,
    /// If a batch is out: how long nobody else gets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lease_seconds_left: Option<f64>,
    /// If a batch is out: for how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batch_out_seconds: Option<f64>,
    /// How many streams are parked, or have stopped it.
    pub(crate) parked: usize,
}

impl<'a> ConsumerState<'a> {
    pub(crate) fn new(report: &'a ConsumerReport) -> Self {
        let partitions = report.partitions.iter().enumerate();
        Self {
            name: report.name.as_str(),
            definition: &report.definition,
            lag: ConsumerLag {
                changesets: report.lag_changesets,
                seconds: seconds(report.lag),
            },
            partitions: partitions
                .map(|(number, partition)| ConsumerPartition::new(number, partition))
                .collect(),
            passed: None,
            parked_before: None,
        }
    }
}

impl<'a> ConsumerPartition<'a> {
    fn new(partition: usize, report: &'a PartitionReport) -> Self {
        let batch = report.batch.as_ref();
        Self {
            partition,
            checkpoint: report.checkpoint.get(),
            generation: report.generation,
            worker: batch.map(|batch| batch.worker.as_str()),
            lease_seconds_left: batch.map(|batch| seconds(batch.lease_left)),
            batch_out_seconds: batch.map(|batch| seconds(batch.out)),
            parked: report.parked,
        }
    }
}

/// Seconds with milliseconds.
fn seconds(duration: Duration) -> f64 {
    let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    f64::from(millis) / 1000.0
}

/// A batch that a worker has.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsumerBatch<'a> {
    /// Its partition.
    pub(crate) partition: u16,
    /// Its generation, which acknowledges it.
    pub(crate) generation: u64,
    /// How long the worker has it.
    pub(crate) lease_seconds: u64,
    /// `live`, or `retry` if a parked stream is tried again.
    pub(crate) kind: &'static str,
    /// The changesets, by checkpoint.
    #[schema(value_type = Vec<ChangesetItem>)]
    pub(crate) changesets: Raw<'a>,
    /// The checkpoint that acknowledges all of it.
    pub(crate) next_checkpoint: u64,
}

/// Parked streams.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParkedStreams<'a> {
    /// The streams, by partition and stream id.
    pub(crate) parked: Vec<ParkedItem<'a>>,
    /// If more remain: the `after` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<&'a str>,
}

/// A parked stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct ParkedItem<'a> {
    /// The stream.
    pub(crate) stream_id: &'a str,
    /// The first of its changesets that is not handled.
    #[schema(minimum = 1)]
    pub(crate) from_changeset: u64,
    /// How often this changeset failed.
    pub(crate) attempts: u32,
    /// Why it failed last; at most 256 bytes.
    pub(crate) error: &'a str,
    /// When the stream was parked.
    #[schema(format = DateTime)]
    pub(crate) since: String,
    /// When it is tried again. Absent if it waits for an operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) next_try: Option<String>,
    /// Whether the partition has stopped at this changeset.
    pub(crate) stopped: bool,
}

impl<'a> From<&'a ParkedStream> for ParkedItem<'a> {
    fn from(parked: &'a ParkedStream) -> Self {
        Self {
            stream_id: parked.stream_id.as_str(),
            from_changeset: parked.from_changeset.get(),
            attempts: parked.attempts,
            error: &parked.error,
            since: parked.since.to_string(),
            next_try: parked.next_try.map(|time| time.to_string()),
            stopped: parked.stopped,
        }
    }
}

/// The answer of a call that has nothing to tell.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {}
