//! The port that keeps the statistics.

use async_trait::async_trait;

use crate::{Statistics, StorageError};

/// Keeps the projected statistics.
#[async_trait]
pub trait StatisticsStore: Send + Sync + 'static {
    /// What was saved last; all 0 before the first time.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_statistics(&self) -> Result<Statistics, StorageError>;

    /// Replaces what was saved if its version still is `previous` (G13), and says whether it did.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails; the swap may have happened then.
    async fn swap_statistics(
        &self,
        previous: crate::Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError>;
}
