//! The port that stores the statistics.

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, Statistics, StorageError};
use redb::ReadableTable;

use crate::error::translate;
use crate::rows::checkpoint;
use crate::schema::STATISTICS;
use crate::storage::RedbStorage;

#[async_trait]
impl StatisticsStore for RedbStorage {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        self.read(|transaction| statistics(&transaction.open_table(STATISTICS).map_err(translate)?))
            .await
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let next = *statistics;
        self.write(move |transaction| {
            let mut table = transaction.open_table(STATISTICS).map_err(translate)?;
            // The transaction that writes also compares, so no other one can write in between.
            if self::statistics(&table)?.version != previous {
                return Ok(false);
            }
            let row = [
                next.version.get(),
                next.total_streams,
                next.total_changesets,
                next.total_events,
                next.max_stream_length,
            ];
            table.insert((), row).map_err(translate)?;
            Ok(true)
        })
        .await
    }
}

/// Reads the row. All counts are 0 before the first one is written.
fn statistics(table: &impl ReadableTable<(), [u64; 5]>) -> Result<Statistics, StorageError> {
    let Some(row) = table.get(()).map_err(translate)? else {
        return Ok(Statistics::default());
    };
    let [version, streams, changesets, events, longest] = row.value();
    Ok(Statistics {
        version: checkpoint(version)?,
        total_streams: streams,
        total_changesets: changesets,
        total_events: events,
        max_stream_length: longest,
    })
}
