//! The port that stores the checkpoints of subscriptions.

use async_trait::async_trait;

use crate::{Checkpoint, StorageError};

/// Stores one checkpoint per subscription.
///
/// A projection that writes to its own database should implement this port on that database. It can
/// then save the checkpoint in the same transaction as its rows.
#[async_trait]
pub trait CheckpointStore: Send + Sync + 'static {
    /// The last saved checkpoint; `None` if the subscription never saved one.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_checkpoint(&self, subscription: &str)
    -> Result<Option<Checkpoint>, StorageError>;

    /// Saves a checkpoint durably. It replaces the previous one.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The checkpoint may have been saved all the same.
    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError>;
}
