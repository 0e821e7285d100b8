//! The port that stores the statistics.

use async_trait::async_trait;

use crate::{Statistics, StorageError};

/// Stores the projected statistics.
#[async_trait]
pub trait StatisticsStore: Send + Sync + 'static {
    /// The last saved statistics; all 0 if none were saved yet.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_statistics(&self) -> Result<Statistics, StorageError>;

    /// Replaces the saved statistics if their version still is `previous` (G13). Returns whether it
    /// did.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The swap may have happened all the same.
    async fn swap_statistics(
        &self,
        previous: crate::Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError>;
}
