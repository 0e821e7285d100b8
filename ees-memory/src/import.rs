//! The port that writes a copy of another store's order.

use async_trait::async_trait;
use ees_core::adapter::{Import, ImportOutcome};
use ees_core::{Checkpoint, GlobalPage, StorageError};

use crate::MemoryStorage;

/// The most names in one answer.
const NAMES: usize = 1000;

#[async_trait]
impl Import for MemoryStorage {
    async fn begin_import(&self) -> Result<Checkpoint, StorageError> {
        self.with_state(|state| state.next_checkpoint())
    }

    async fn import(
        &self,
        from: Checkpoint,
        page: &GlobalPage,
    ) -> Result<ImportOutcome, StorageError> {
        let outcome = self.with_state(|state| state.import(from, page))?;
        self.news.announce();
        Ok(outcome)
    }

    async fn finish_import(&self) -> Result<(), StorageError> {
        self.with_state(|_| ())
    }

    async fn subscriptions(&self, after: &str) -> Result<Vec<String>, StorageError> {
        self.with_state(|state| {
            let names = state
                .checkpoints
                .keys()
                .filter(|name| name.as_str() > after);
            let mut names: Vec<_> = names.cloned().collect();
            names.sort_unstable();
            names.truncate(NAMES);
            names
        })
    }
}
