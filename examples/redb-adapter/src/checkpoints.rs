//! The port that stores the checkpoints of subscriptions.

use async_trait::async_trait;
use ees_core::{Checkpoint, CheckpointStore, StorageError};

use crate::error::translate;
use crate::rows::checkpoint;
use crate::schema::CHECKPOINTS;
use crate::storage::RedbStorage;

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
