//! Statistics, and how far subscriptions have come.

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, CheckpointStore, Statistics, StorageError};
use redb::ReadableTable;

use crate::error::{corrupt, translate};
use crate::schema::{CHECKPOINTS, STATISTICS};
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
            // Compared inside the transaction that writes: no other can come between.
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

#[async_trait]
impl CheckpointStore for RedbStorage {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        let name = subscription.to_owned();
        self.read(move |transaction| {
            let table = transaction.open_table(CHECKPOINTS).map_err(translate)?;
            let found = table.get(name.as_str()).map_err(translate)?;
            let found = found.map(|found| checkpoint(found.value()));
            found.transpose()
        })
        .await
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        let name = subscription.to_owned();
        self.write(move |transaction| {
            let mut table = transaction.open_table(CHECKPOINTS).map_err(translate)?;
            let saved = table.insert(name.as_str(), checkpoint.get());
            saved.map(|_| ()).map_err(translate)
        })
        .await
    }
}

/// The row, or all 0 before there is one.
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

fn checkpoint(number: u64) -> Result<Checkpoint, StorageError> {
    Checkpoint::new(number).map_err(|error| corrupt(&error))
}
