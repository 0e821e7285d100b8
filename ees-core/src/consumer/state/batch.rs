//! The batch that is out, and what the next one may hold.

use serde::{Deserialize, Serialize};

use crate::{Changeset, ChangesetId, Checkpoint, StreamId, Timestamp};

/// The batch that is out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Batch {
    /// Its generation.
    pub generation: u64,
    /// The generation whose acknowledgement asked for this batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// What it holds.
    pub kind: BatchKind,
    /// The position that it begins at.
    pub start: Checkpoint,
    /// The position after it.
    pub next: Checkpoint,
    /// Who has it, as that worker called itself.
    pub worker: String,
    /// When it was handed out.
    pub leased_at: Timestamp,
}

/// What a batch holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BatchKind {
    /// The changesets of the partition from its checkpoint on.
    Live,
    /// The changesets of a parked stream.
    Retry {
        /// The stream.
        stream_id: StreamId,
        /// The changeset of the stream after those that were looked at.
        next_changeset: ChangesetId,
        /// Whether no changeset of the stream remains below the partition's checkpoint.
        reached_end: bool,
    },
}

/// What a partition can hand out next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The changesets from the checkpoint on.
    Live,
    /// The changesets of this parked stream from this one on.
    Retry(StreamId, ChangesetId),
}

/// What a look has found: the next batch, if it has changesets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it was looked for.
    pub kind: BatchKind,
    /// The position that it begins at.
    pub start: Checkpoint,
    /// The position after what was looked at.
    pub next: Checkpoint,
    /// The changesets for the consumer, by position.
    pub changesets: Vec<Changeset>,
}
