//! The port for statistics: five numbers under one key.

use std::sync::PoisonError;

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, Statistics, StorageError};

use crate::database::Store;
use crate::error::{corrupt, translate, translate_write};
use crate::rows;
use crate::storage::FjallStorage;

const KEY: &str = "statistics";

#[async_trait]
impl StatisticsStore for FjallStorage {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        self.handle.run(load).await
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let row = encode(statistics);
        let step = move |store: &Store| {
            let _swapping = store
                .swapping
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if load(store)?.version != previous {
                return Ok(false);
            }
            let mut batch = store.batch();
            batch.insert(&store.single, KEY, row);
            batch.commit().map_err(translate_write)?;
            Ok(true)
        };
        self.handle.run(step).await
    }
}

fn load(store: &Store) -> Result<Statistics, StorageError> {
    match store.single.get(KEY).map_err(translate)? {
        Some(row) => decode(&row),
        None => Ok(Statistics::default()),
    }
}

fn encode(statistics: &Statistics) -> Vec<u8> {
    let numbers = [
        statistics.version.get(),
        statistics.total_streams,
        statistics.total_changesets,
        statistics.total_events,
        statistics.max_stream_length,
    ];
    numbers
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

fn decode(row: &[u8]) -> Result<Statistics, StorageError> {
    let numbers: Result<Vec<u64>, _> = row.chunks(8).map(rows::number).collect();
    let [
        version,
        total_streams,
        total_changesets,
        total_events,
        max_stream_length,
    ] = numbers?[..]
    else {
        return Err(corrupt(&"the statistics are not five numbers"));
    };
    Ok(Statistics {
        version: Checkpoint::new(version).map_err(|error| corrupt(&error))?,
        total_streams,
        total_changesets,
        total_events,
        max_stream_length,
    })
}
