//! The ports that keep statistics and subscriptions' checkpoints.

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, CheckpointStore, MAX_ID, Statistics, StorageError};
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};

use crate::SqliteStorage;
use crate::error::translate;
use crate::rows::number;

const LOAD_STATISTICS: &str = "
    SELECT version, total_streams, total_changesets, total_events, max_stream_length
    FROM statistics";

const SWAP_STATISTICS: &str = "
    UPDATE statistics SET version = ?2, total_streams = ?3, total_changesets = ?4,
                          total_events = ?5, max_stream_length = ?6
    WHERE version = ?1";

const LOAD_CHECKPOINT: &str = "SELECT checkpoint FROM checkpoints WHERE subscription = ?1";

const SAVE_CHECKPOINT: &str = "
    INSERT INTO checkpoints (subscription, checkpoint) VALUES (?1, ?2)
    ON CONFLICT (subscription) DO UPDATE SET checkpoint = excluded.checkpoint";

impl SqliteStorage {
    /// Runs one statement, a transaction of its own, on the connection that writes, and says how
    /// many rows it changed.
    async fn write(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<u64, StorageError> {
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or_else(StorageError::closed)?;
        let done = query.execute(connection).await.map_err(translate)?;
        Ok(done.rows_affected())
    }
}

#[async_trait]
impl StatisticsStore for SqliteStorage {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        let row = sqlx::query(LOAD_STATISTICS).fetch_one(&self.readers).await;
        let row = row.map_err(translate)?;
        Ok(Statistics {
            version: number(&row, 0)?,
            total_streams: count(&row, 1)?,
            total_changesets: count(&row, 2)?,
            total_events: count(&row, 3)?,
            max_stream_length: count(&row, 4)?,
        })
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let count = |count: u64| count.min(MAX_ID).cast_signed();
        let swap = sqlx::query(SWAP_STATISTICS)
            .bind(previous.as_i64())
            .bind(statistics.version.as_i64())
            .bind(count(statistics.total_streams))
            .bind(count(statistics.total_changesets))
            .bind(count(statistics.total_events))
            .bind(count(statistics.max_stream_length));
        Ok(self.write(swap).await? == 1)
    }
}

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

fn count(row: &SqliteRow, column: usize) -> Result<u64, StorageError> {
    number(row, column)
}
