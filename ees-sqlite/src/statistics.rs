//! The port that stores the statistics.

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, MAX_ID, Statistics, StorageError};
use rusqlite::Row;

use crate::SqliteStorage;
use crate::rows::{number, one};

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
        let load = |connection: &_| {
            one(connection, LOAD_STATISTICS, [], |row| {
                Ok(Statistics {
                    version: number(row, 0)?,
                    total_streams: count(row, 1)?,
                    total_changesets: count(row, 2)?,
                    total_events: count(row, 3)?,
                    max_stream_length: count(row, 4)?,
                })
            })
        };
        self.readers.run(load).await
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let count = |count: u64| count.min(MAX_ID).cast_signed();
        let row = [
            previous.as_i64(),
            statistics.version.as_i64(),
            count(statistics.total_streams),
            count(statistics.total_changesets),
            count(statistics.total_events),
            count(statistics.max_stream_length),
        ];
        Ok(self.write(SWAP_STATISTICS, row).await? == 1)
    }
}

fn count(row: &Row<'_>, column: usize) -> Result<u64, StorageError> {
    number(row, column)
}
