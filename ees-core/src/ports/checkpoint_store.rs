//! The port that keeps how far subscriptions have come.

use async_trait::async_trait;

use crate::{Checkpoint, StorageError};

/// Keeps a checkpoint per subscription.
///
/// A projection that writes to a database of its own does best to implement this on that database
/// and to save the checkpoint in the same transaction as its own rows.
#[async_trait]
pub trait CheckpointStore: Send + Sync + 'static {
    /// The checkpoint saved last; `None` for a subscription that never saved one.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_checkpoint(&self, subscription: &str)
    -> Result<Option<Checkpoint>, StorageError>;

    /// Saves a checkpoint, durably; the last one saved wins.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails; the checkpoint may have been saved then.
    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError>;
}
