//! The port that stores the checkpoints of subscriptions.

use async_trait::async_trait;
use ees_core::{Checkpoint, CheckpointStore, StorageError};

use crate::SqliteStorage;
use crate::rows::{number, optional};

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
        let subscription = subscription.to_owned();
        let load = move |connection: &_| {
            optional(connection, LOAD_CHECKPOINT, [subscription], |row| {
                number(row, 0)
            })
        };
        self.readers.run(load).await
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        let row = (subscription.to_owned(), checkpoint.as_i64());
        self.write(SAVE_CHECKPOINT, row).await?;
        Ok(())
    }
}
