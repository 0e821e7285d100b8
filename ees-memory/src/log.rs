//! The port that stores the hashes of a verifiable log.

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::{LogStore, StoredLogHead, Tile, TileId};

use crate::MemoryStorage;

#[async_trait]
impl LogStore for MemoryStorage {
    async fn load_log_head(&self) -> Result<Option<StoredLogHead>, StorageError> {
        self.with_state(|state| state.log_head.clone())
    }

    async fn load_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
        self.with_state(|state| state.tiles.get(&tile).cloned())
    }

    async fn seal(
        &self,
        previous: Option<u64>,
        next: &StoredLogHead,
        tiles: &[Tile],
    ) -> Result<bool, StorageError> {
        self.with_state(|state| {
            for tile in tiles {
                let stands = state
                    .tiles
                    .entry(tile.id)
                    .or_insert_with(|| tile.hashes.clone());
                tile.check(stands)?;
            }
            let unchanged = state.log_head.as_ref().map(|head| head.revision) == previous;
            if unchanged {
                state.log_head = Some(next.clone());
            }
            Ok(unchanged)
        })?
    }
}
