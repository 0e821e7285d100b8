//! The open database: its keyspaces, batches that are durable, and a handle that can be closed.

use std::fs::File;
use std::sync::{Arc, Mutex};

use ees_core::{Checkpoint, StorageError, Written};
use fjall::{Database, Guard, Keyspace, OwnedWriteBatch, PersistMode, Readable, Snapshot};
use tokio::sync::RwLock;

use crate::error::{corrupt, translate};
use crate::rows;

/// An open database. The lock is released last.
pub(crate) struct Store {
    /// All rows, by checkpoint.
    pub(crate) log: Keyspace,
    /// Checkpoints by stream and changeset id.
    pub(crate) by_changeset: Keyspace,
    /// Checkpoints by stream and last event id.
    pub(crate) by_event: Keyspace,
    /// Changeset ids by stream and client's key.
    pub(crate) by_key: Keyspace,
    /// Checkpoints of subscriptions, by the hash of their names.
    pub(crate) checkpoints: Keyspace,
    /// The version of this layout, and the statistics.
    pub(crate) single: Keyspace,
    /// Held from the comparison of the statistics to the end of the write.
    pub(crate) swapping: Mutex<()>,
    pub(crate) database: Database,
    pub(crate) _lock: File,
}

impl Store {
    /// A batch of writes. When it is committed, it has been flushed to the disk.
    pub(crate) fn batch(&self) -> OwnedWriteBatch {
        self.database.batch().durability(Some(PersistMode::SyncAll))
    }

    /// The checkpoint that the next changeset will get.
    pub(crate) fn next_checkpoint(&self, at: &Snapshot) -> Result<Checkpoint, StorageError> {
        let next = match at.last_key_value(&self.log).map(Guard::key).transpose() {
            Ok(None) => 0,
            Ok(Some(last)) => rows::number(&last)?.saturating_add(1),
            Err(error) => return Err(translate(error)),
        };
        Checkpoint::new(next).map_err(|error| corrupt(&error))
    }

    /// The row at a checkpoint that an index names.
    pub(crate) fn row(
        &self,
        at: &Snapshot,
        checkpoint: &[u8],
    ) -> Result<fjall::Slice, StorageError> {
        let row = at.get(&self.log, checkpoint).map_err(translate)?;
        row.ok_or_else(|| corrupt(&"an index entry has no changeset"))
    }
}

/// The database while it is open, and nothing afterwards.
#[derive(Clone)]
pub(crate) struct Handle(Arc<RwLock<Option<Store>>>);

impl Handle {
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(RwLock::new(Some(store))))
    }

    /// Runs a step on a thread that may block. Once begun, it runs to its end.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Store) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let store = Arc::clone(&self.0).read_owned().await;
        let step = move || step(store.as_ref().ok_or_else(StorageError::closed)?);
        let stopped = |_| StorageError::unavailable("the step's thread stopped", Written::Unknown);
        tokio::task::spawn_blocking(step).await.map_err(stopped)?
    }

    /// Waits for the running steps, and releases the files.
    pub(crate) async fn close(&self) {
        let mut store = Arc::clone(&self.0).write_owned().await;
        let _ = tokio::task::spawn_blocking(move || drop(store.take())).await;
    }
}
