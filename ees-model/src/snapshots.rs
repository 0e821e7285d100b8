//! States that are kept beside the store, so that less is read.

mod memory;

use std::error::Error as StdError;
use std::sync::Arc;

use async_trait::async_trait;
use ees_core::{Changeset, CommitId, StreamId, Timestamp};
use serde::{Deserialize, Serialize};

pub use memory::MemorySnapshots;

/// A place for the snapshots of one decider, such as a table with one row for each stream, or a cache.
///
/// It is a cache: it may lose anything at any time, and a failure of it costs reading and nothing else.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// The snapshot of a stream that was saved last.
    ///
    /// # Errors
    /// The place failed. The stream is read from its beginning.
    async fn load(&self, stream: &StreamId) -> Result<Option<Snapshot>, SnapshotError>;

    /// Replaces the snapshot of a stream.
    ///
    /// # Errors
    /// The place failed. The next snapshot of the stream is tried again.
    async fn save(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), SnapshotError>;
}

#[async_trait]
impl<T: Snapshots + ?Sized> Snapshots for Arc<T> {
    async fn load(&self, stream: &StreamId) -> Result<Option<Snapshot>, SnapshotError> {
        T::load(self, stream).await
    }

    async fn save(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), SnapshotError> {
        T::save(self, stream, snapshot).await
    }
}

/// Whatever goes wrong in a place for snapshots.
pub type SnapshotError = Box<dyn StdError + Send + Sync>;

/// The state of a stream after a changeset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version of the state: [`Decider::VERSION`](crate::Decider::VERSION).
    pub version: u32,
    /// The changeset: its number in the stream.
    pub changeset: u64,
    /// The commit id of that changeset. It and the time show whether the stream still has this changeset,
    /// also after a restore of the store.
    pub commit_id: CommitId,
    /// The time of that changeset.
    pub timestamp: Timestamp,
    /// The state, as JSON.
    pub state: String,
}

impl Snapshot {
    /// Whether the snapshot was taken after this changeset.
    pub(crate) fn is_after(&self, changeset: &Changeset) -> bool {
        self.changeset == changeset.changeset_id.get()
            && self.commit_id == changeset.commit_id
            && self.timestamp == changeset.timestamp
    }
}
