//! The port that stores the statistics.

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, MAX_ID, Statistics, StorageError};
use sqlx::sqlite::SqliteRow;

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

fn count(row: &SqliteRow, column: usize) -> Result<u64, StorageError> {
    number(row, column)
}
