//! Storages that do not keep statistics as they should.

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::{Checkpoint, Statistics, StorageError};

/// Overwrites statistics that another projector has saved.
#[derive(Default)]
pub(super) struct AlwaysSwaps;

#[async_trait]
impl Fault for AlwaysSwaps {
    async fn swap_statistics(
        &self,
        inner: &dyn Adapter,
        _: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let saved = inner.load_statistics().await?.version;
        inner.swap_statistics(saved, statistics).await
    }
}

/// Counts one event too many each time.
#[derive(Default)]
pub(super) struct MiscountsEvents;

#[async_trait]
impl Fault for MiscountsEvents {
    async fn swap_statistics(
        &self,
        inner: &dyn Adapter,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let total_events = statistics.total_events + 1;
        let wrong = Statistics {
            total_events,
            ..*statistics
        };
        inner.swap_statistics(previous, &wrong).await
    }
}
