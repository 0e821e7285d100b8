//! The port that stores the hashes of a verifiable log.

use async_trait::async_trait;

use crate::StorageError;

/// The most tiles that one call of [`LogStore::seal`] stores.
pub const MAX_SEALED_TILES: usize = 32;

/// Stores the Merkle tree over the global order (G17): its full tiles, and the head that says how far
/// it has come.
///
/// The sealer makes all contents; an adapter stores bytes and texts. All reads see every write that was
/// acknowledged before.
#[async_trait]
pub trait LogStore: Send + Sync + 'static {
    /// The head; `None` if nothing was sealed yet.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_log_head(&self) -> Result<Option<StoredLogHead>, StorageError>;

    /// The hashes of a full tile; `None` if it is not stored.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StorageError>;

    /// Stores full tiles, and replaces the head if its revision still is `previous`, which is `None` if
    /// there is no head. Returns whether it did.
    ///
    /// The tiles are durable before the head is. A tile that is stored already stays as it is. A call
    /// that replaces no head may store its tiles all the same, since every sealer makes the same ones. A
    /// call has at most [`MAX_SEALED_TILES`] tiles, each once.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if a stored tile differs from the one in the call; the head is not
    /// replaced then. Otherwise [`StorageError`] if the storage fails; the tiles and the head may have
    /// been stored all the same.
    async fn seal(
        &self,
        previous: Option<u64>,
        next: &StoredLogHead,
        tiles: &[Tile],
    ) -> Result<bool, StorageError>;
}

/// The place of a full tile in the tree: 256 adjacent hashes of one level, as in
/// [c2sp.org/tlog-tiles](https://c2sp.org/tlog-tiles).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    /// Its level: 0 for the hashes of changesets, 1 for the hashes of 256 of them, and so on, at most 7.
    pub level: u8,
    /// Its number in its level, from 0 on, less than 2^55.
    pub number: u64,
}

/// A full tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Its place.
    pub id: TileId,
    /// Its 256 hashes of 32 bytes, one after another.
    pub hashes: Vec<u8>,
}

impl Tile {
    /// Compares it with the hashes that are stored at its place.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if they differ.
    pub fn check(&self, stored: &[u8]) -> Result<(), StorageError> {
        if self.hashes == stored {
            return Ok(());
        }
        let TileId { level, number } = self.id;
        Err(StorageError::Corrupt(format!(
            "tile {number} of level {level} of the log differs from the changesets that it was made of"
        )))
    }
}

/// The head of the log as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLogHead {
    /// Differs after each change; less than 2^63.
    pub revision: u64,
    /// The document, which is JSON of at most 128 KiB.
    pub document: String,
}
