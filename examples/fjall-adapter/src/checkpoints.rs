//! The port for the checkpoints of subscriptions: the checkpoint, and the name whose hash is the key.

use async_trait::async_trait;
use ees_core::{Checkpoint, CheckpointStore, StorageError};

use crate::database::Store;
use crate::error::{corrupt, translate, translate_write};
use crate::storage::FjallStorage;
use crate::{keys, rows};

#[async_trait]
impl CheckpointStore for FjallStorage {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        let name = subscription.to_owned();
        self.handle.run(move |store| load(store, &name)).await
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        let key = keys::subscription(subscription);
        let mut row = checkpoint.get().to_be_bytes().to_vec();
        row.extend(subscription.as_bytes());
        let step = move |store: &Store| {
            let mut batch = store.batch();
            batch.insert(&store.checkpoints, key, row);
            batch.commit().map_err(translate_write)
        };
        self.handle.run(step).await
    }
}

fn load(store: &Store, name: &str) -> Result<Option<Checkpoint>, StorageError> {
    let found = store
        .checkpoints
        .get(keys::subscription(name))
        .map_err(translate)?;
    let Some(row) = found else { return Ok(None) };
    match row.split_at_checked(8) {
        Some((checkpoint, of)) if of == name.as_bytes() => {
            let checkpoint = Checkpoint::new(rows::number(checkpoint)?);
            Ok(Some(checkpoint.map_err(|error| corrupt(&error))?))
        }
        _ => Err(corrupt(&"a checkpoint belongs to another subscription")),
    }
}
