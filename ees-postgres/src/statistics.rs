//! The port that stores the statistics.

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, MAX_ID, Statistics, StorageError};

use crate::PostgresStorage;
use crate::rows::number;

const LOAD_STATISTICS: &str = "
    SELECT version, total_streams, total_changesets, total_events, max_stream_length
    FROM statistics";

const SWAP_STATISTICS: &str = "
    UPDATE statistics SET version = $2, total_streams = $3, total_changesets = $4,
                          total_events = $5, max_stream_length = $6
    WHERE version = $1 RETURNING version";

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
