//! The port that stores the checkpoints of subscriptions.

use async_trait::async_trait;
use ees_core::{Checkpoint, CheckpointStore, StorageError};

use crate::PostgresStorage;
use crate::rows::number;

pub(crate) const LOAD_CHECKPOINT: &str =
    "SELECT checkpoint FROM checkpoints WHERE subscription = $1";

const SAVE_CHECKPOINT: &str = "
    INSERT INTO checkpoints (subscription, checkpoint) VALUES ($1, $2)
    ON CONFLICT (subscription) DO UPDATE SET checkpoint = excluded.checkpoint";

#[async_trait]
impl CheckpointStore for PostgresStorage {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        let load = || sqlx::query(LOAD_CHECKPOINT).bind(subscription);
        let row = self.one(load).await?;
        row.map(|row| number(&row, 0)).transpose()
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        let save = || {
            sqlx::query(SAVE_CHECKPOINT)
                .bind(subscription)
                .bind(checkpoint.as_i64())
        };
        self.one(save).await?;
        Ok(())
    }
}
