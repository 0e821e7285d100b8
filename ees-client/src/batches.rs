//! Batches of a consumer: claims and acknowledgements.

use std::time::Duration;

use ees_core::consumer::ConsumerName;
use ees_core::{ChangesetId, Checkpoint, StreamId};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::consumers::post;
use crate::model::Changeset;
use crate::transport::{Answer, Send};
use crate::wire::{WireChangeset, WireItem};

/// The changesets that a worker has to handle.
#[derive(Debug)]
pub(crate) struct WorkerBatch {
    /// Its partition.
    pub(crate) partition: u16,
    /// Its generation, which acknowledges it.
    pub(crate) generation: u64,
    /// Whether a parked stream is tried again.
    #[cfg(feature = "model")]
    pub(crate) is_retry: bool,
    /// How long the worker has it.
    pub(crate) lease: Duration,
    /// The changesets, by checkpoint.
    pub(crate) changesets: Vec<Changeset>,
    /// The checkpoint that acknowledges all of it.
    pub(crate) next: Checkpoint,
}

/// The body of a claim.
#[derive(Serialize)]
pub(crate) struct Claim<'a> {
    pub(crate) worker: &'a str,
    pub(crate) limit: usize,
    /// In seconds.
    pub(crate) wait: u64,
}

/// The body of an acknowledgement.
#[derive(Serialize)]
pub(crate) struct Ack {
    pub(crate) partition: u16,
    pub(crate) generation: u64,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) failed: Vec<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Next>,
}

/// A changeset that could not be handled.
#[derive(Serialize)]
pub(crate) struct Failure {
    pub(crate) stream_id: StreamId,
    pub(crate) changeset_id: ChangesetId,
    pub(crate) error: String,
}

/// The next batch that an acknowledgement asks for.
#[derive(Serialize)]
pub(crate) struct Next {
    pub(crate) limit: usize,
    pub(crate) wait: u64,
}

impl Claim<'_> {
    /// The request.
    pub(crate) fn asked(&self, name: &ConsumerName) -> Result<Send, Error> {
        let mut asked = post(name, "claim", self)?;
        asked.wait = Duration::from_secs(self.wait);
        Ok(asked)
    }
}

impl Ack {
    /// The request.
    pub(crate) fn asked(&self, name: &ConsumerName) -> Result<Send, Error> {
        post(name, "ack", self)
    }
}

#[derive(Deserialize)]
struct WireBatch<'a> {
    partition: u16,
    generation: u64,
    lease_seconds: u64,
    #[serde(borrow)]
    changesets: Vec<WireChangeset<'a>>,
    next_checkpoint: Checkpoint,
    #[cfg(feature = "model")]
    kind: Option<String>,
}

/// The batch of an answer; `None` if there is nothing to do.
pub(crate) fn batch_of(answer: &Answer) -> Result<Option<WorkerBatch>, serde_json::Error> {
    if answer.status == 204 || serde_json::from_slice::<Empty>(&answer.body).is_ok() {
        return Ok(None);
    }
    let batch: WireBatch<'_> = serde_json::from_slice(&answer.body)?;
    let changesets = batch.changesets.into_iter();
    let changesets = changesets.map(|wire| wire.into_item(None));
    Ok(Some(WorkerBatch {
        partition: batch.partition,
        generation: batch.generation,
        #[cfg(feature = "model")]
        is_retry: batch.kind.as_deref() == Some("retry"),
        lease: Duration::from_secs(batch.lease_seconds),
        changesets: changesets.collect::<Result<_, _>>()?,
        next: batch.next_checkpoint,
    }))
}

/// The answer to an acknowledgement without a next batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}
