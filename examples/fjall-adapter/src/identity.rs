//! The identity of the store: a text under one key.

use std::sync::PoisonError;

use ees_core::{Identity, StorageError};

use crate::database::Store;
use crate::error::{corrupt, translate, translate_write};
use crate::storage::FjallStorage;

const KEY: &str = "identity";

impl FjallStorage {
    pub(crate) async fn stored_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.handle.run(load).await
    }

    pub(crate) async fn store_identity(
        &self,
        previous: Option<String>,
        next: String,
    ) -> Result<bool, StorageError> {
        let step = move |store: &Store| {
            let _swapping = store
                .swapping
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if load(store)?.map(|stored| stored.to_text()) != previous {
                return Ok(false);
            }
            let mut batch = store.batch();
            batch.insert(&store.single, KEY, next.as_bytes());
            batch.commit().map_err(translate_write)?;
            Ok(true)
        };
        self.handle.run(step).await
    }
}

fn load(store: &Store) -> Result<Option<Identity>, StorageError> {
    let Some(text) = store.single.get(KEY).map_err(translate)? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&text).map_err(|error| corrupt(&error))?;
    Identity::of_text(text).map(Some)
}
