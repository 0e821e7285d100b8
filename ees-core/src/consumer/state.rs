//! The state of a partition, and every change of it.

mod ack;
mod batch;
mod hand_out;
mod operate;
mod parked;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ChangesetId, Checkpoint, StreamId, Timestamp};

pub use ack::{Ack, AckRefusal, Acked, Failure};
pub use batch::{Batch, BatchKind, Found, Work};
pub use operate::Refused;
pub use parked::Parked;

/// The most parked streams of a partition. The next failure stops the partition.
pub const MAX_PARKED: usize = 1000;

/// The most parked streams that one change of a partition adds, changes or removes.
pub const MAX_PARKED_CHANGES: usize = 64;

/// The state of one partition of a consumer, with all rules and no I/O.
///
/// At most one batch is out. Each batch has a new generation, and only an acknowledgement with the
/// generation of the batch that is out has an effect. Whoever changes the stored state swaps it by
/// its revision, so each change is based on the state before it.
///
/// Clocks decide only when a partition may be taken over and when a parked stream is tried. However
/// wrong they are, nothing is skipped.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PartitionState {
    /// The first position that is not handled.
    checkpoint: Checkpoint,
    /// The generation of the last batch.
    generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch: Option<Batch>,
    /// How many retries were handed out since the last live batch, up to [`RETRIES_IN_A_ROW`].
    retries: u8,
    /// The changeset at the checkpoint that could not be handled, and for which there is no room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped: Option<Parked>,
    /// When the last batch was handed out, in microseconds since 1970.
    served: i64,
    /// The slots of the parked streams, which are stored beside this document.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    slots: BTreeSet<u16>,
    #[serde(skip)]
    parked: BTreeMap<StreamId, Parked>,
}

/// A stream that catches up gets so many batches for each live one.
const RETRIES_IN_A_ROW: u8 = 2;

impl PartitionState {
    /// A partition that begins at a checkpoint.
    pub fn new(checkpoint: Checkpoint) -> Self {
        Self {
            checkpoint,
            generation: 0,
            batch: None,
            retries: 0,
            stopped: None,
            served: 0,
            slots: BTreeSet::new(),
            parked: BTreeMap::new(),
        }
    }

    /// The first position that is not handled. The changesets of parked streams are passed by.
    pub fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// The generation of the last batch; 0 if there was none.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The batch that is out.
    pub fn batch(&self) -> Option<&Batch> {
        self.batch.as_ref()
    }

    /// When the last batch was handed out, in microseconds since 1970; 0 if there was none.
    pub fn served(&self) -> i64 {
        self.served
    }

    /// The changeset at which the partition has stopped.
    pub fn stopped(&self) -> Option<&Parked> {
        self.stopped.as_ref()
    }

    /// The parked streams, by stream id.
    pub fn parked(&self) -> impl Iterator<Item = &Parked> {
        self.parked.values()
    }

    /// The entry of a parked stream.
    pub fn parked_entry(&self, stream_id: &StreamId) -> Option<&Parked> {
        self.parked.get(stream_id)
    }

    /// The slots in which the parked streams are stored.
    pub fn slots(&self) -> &BTreeSet<u16> {
        &self.slots
    }

    /// The same state with the parked streams that were stored beside it. Streams whose slot the
    /// state does not name are left out.
    #[must_use]
    pub fn with_parked(mut self, parked: impl IntoIterator<Item = Parked>) -> Self {
        let known = |parked: &Parked| self.slots.contains(&parked.slot);
        let parked = parked.into_iter().filter(known);
        self.parked = parked.map(|p| (p.stream_id.clone(), p)).collect();
        self
    }

    /// What has to be stored for the parked streams when `before` becomes this state: each slot that
    /// changed, with its new content.
    pub fn parked_since(&self, before: &Self) -> Vec<(u16, Option<&Parked>)> {
        let changed = self.parked.values().filter(|parked| {
            let stream = &parked.stream_id;
            before.parked.get(stream) != Some(*parked)
        });
        let gone = before.slots.difference(&self.slots);
        changed
            .map(|parked| (parked.slot, Some(parked)))
            .chain(gone.map(|slot| (*slot, None)))
            .collect()
    }

    /// Whether a batch may be handed out: none is out, or its lease has ended. A lease that begins
    /// in the future by more than its length was given by a clock that is wrong.
    pub fn is_free(&self, lease: Duration, now: Timestamp) -> bool {
        self.free_at(lease, now) <= now
    }

    /// When a batch may be handed out.
    pub fn free_at(&self, lease: Duration, now: Timestamp) -> Timestamp {
        let Some(batch) = &self.batch else { return now };
        let end = batch.leased_at.after(lease);
        if batch.leased_at > now.after(lease) {
            now
        } else {
            end
        }
    }

    /// The next generation. It exceeds all generations before it, also those of a consumer that was
    /// deleted and of a store that was restored, as it is at least the time in microseconds.
    fn next_generation(&self, now: Timestamp) -> u64 {
        let micros = u64::try_from(now.as_micros()).unwrap_or_default();
        (self.generation + 1).max(micros)
    }

    fn remove(&mut self, stream_id: &StreamId) {
        if let Some(parked) = self.parked.remove(stream_id) {
            self.slots.remove(&parked.slot);
        }
    }

    /// Whether one more stream can be parked.
    fn free_slot(&self) -> Option<u16> {
        let most = u16::try_from(MAX_PARKED).unwrap_or(u16::MAX);
        (0..most).find(|slot| !self.slots.contains(slot))
    }

    fn park(&mut self, parked: Parked) {
        self.slots.insert(parked.slot);
        self.parked.insert(parked.stream_id.clone(), parked);
    }
}

/// The position of a changeset of the global order.
fn place(changeset: &crate::Changeset) -> Checkpoint {
    changeset.checkpoint.unwrap_or(Checkpoint::FIRST)
}

/// The changeset id after this one.
pub(super) fn following(id: ChangesetId) -> ChangesetId {
    ChangesetId::new(id.get() + 1).unwrap_or(id)
}

#[cfg(test)]
mod tests;
