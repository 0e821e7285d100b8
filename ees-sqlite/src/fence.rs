//! The port that ends the commits to a store, for a move.

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::Fence;

use crate::{SqliteStorage, moved};

#[async_trait]
impl Fence for SqliteStorage {
    async fn fence(&self, moved_to: &str) -> Result<(), StorageError> {
        let moved_to = moved_to.to_owned();
        self.write_unknown(move |connection| moved::raise(connection, &moved_to))
            .await
    }

    async fn lift_fence(&self) -> Result<(), StorageError> {
        self.write_unknown(moved::lift).await
    }

    async fn fence_state(&self) -> Result<Option<String>, StorageError> {
        self.readers.run(moved::load).await
    }
}
