//! The port that stores the checkpoints of subscriptions.

use async_trait::async_trait;
use ees_core::{Checkpoint, CheckpointStore, StorageError};

use crate::SqliteStorage;
use crate::error::translate;
use crate::rows::number;

const LOAD_CHECKPOINT: &str = "SELECT checkpoint FROM checkpoints WHERE subscription = ?1";

const SAVE_CHECKPOINT: &str = "
    INSERT INTO checkpoints (subscription, checkpoint) VALUES (?1, ?2)
    ON CONFLICT (subscription) DO UPDATE SET checkpoint = excluded.checkpoint";

#[async_trait]
impl CheckpointStore for SqliteStorage {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        let query = sqlx::query(LOAD_CHECKPOINT).bind(subscription);
        let row = query.fetch_optional(&self.readers).await;
        row.map_err(translate)?
            .map(|row| number(&row, 0))
            .transpose()
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        let save = sqlx::query(SAVE_CHECKPOINT)
            .bind(subscription)
            .bind(checkpoint.as_i64());
        self.write(save).await?;
        Ok(())
    }
}
