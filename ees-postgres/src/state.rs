//! The ports that keep statistics and subscriptions' checkpoints.

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, CheckpointStore, MAX_ID, Statistics, StorageError};

use crate::PostgresStorage;
use crate::rows::number;

const LOAD_STATISTICS: &str = "
    SELECT version, total_streams, total_changesets, total_events, max_stream_length
    FROM statistics";

const SWAP_STATISTICS: &str = "
    UPDATE statistics SET version = $2, total_streams = $3, total_changesets = $4,
                          total_events = $5, max_stream_length = $6
    WHERE version = $1 RETURNING version";

pub(crate) const LOAD_CHECKPOINT: &str =
    "SELECT checkpoint FROM checkpoints WHERE subscription = $1";

const SAVE_CHECKPOINT: &str = "
    INSERT INTO checkpoints (subscription, checkpoint) VALUES ($1, $2)
    ON CONFLICT (subscription) DO UPDATE SET checkpoint = excluded.checkpoint";

#[async_trait]
impl StatisticsStore for PostgresStorage {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        let row = self.one(|| sqlx::query(LOAD_STATISTICS)).await?;
        let missing = || StorageError::Corrupt("the row of table `statistics` is missing".into());
        let row = row.ok_or_else(missing)?;
        Ok(Statistics {
            version: number(&row, 0)?,
            total_streams: number(&row, 1)?,
            total_changesets: number(&row, 2)?,
            total_events: number(&row, 3)?,
            max_stream_length: number(&row, 4)?,
        })
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let count = |count: u64| count.min(MAX_ID).cast_signed();
        let swap = || {
            sqlx::query(SWAP_STATISTICS)
                .bind(previous.as_i64())
                .bind(statistics.version.as_i64())
                .bind(count(statistics.total_streams))
                .bind(count(statistics.total_changesets))
                .bind(count(statistics.total_events))
                .bind(count(statistics.max_stream_length))
        };
        Ok(self.one(swap).await?.is_some())
    }
}

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
