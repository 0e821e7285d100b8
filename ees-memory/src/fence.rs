//! The port that ends the commits to a store, for a move.

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::Fence;

use crate::MemoryStorage;

#[async_trait]
impl Fence for MemoryStorage {
    async fn fence(&self, moved_to: &str) -> Result<(), StorageError> {
        self.with_state(|state| state.moved_to = Some(moved_to.to_owned()))
    }

    async fn lift_fence(&self) -> Result<(), StorageError> {
        self.with_state(|state| state.moved_to = None)
    }

    async fn fence_state(&self) -> Result<Option<String>, StorageError> {
        self.with_state(|state| state.moved_to.clone())
    }
}
