//! The port that stores the hashes of a verifiable log.

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::{LogStore, StoredLogHead, Tile, TileId};
use rusqlite::{Connection, params};

use crate::SqliteStorage;
use crate::error::translate;
use crate::rows::{number, optional, text};

const HEAD: &str = "SELECT revision, document FROM log_head";

pub(crate) const TILE: &str = "SELECT hashes FROM log_tiles WHERE level = ?1 AND number = ?2";

const PUT_TILE: &str = "
    INSERT INTO log_tiles (level, number, hashes) VALUES (?1, ?2, ?3)
    ON CONFLICT (level, number) DO NOTHING";

const FIRST: &str = "
    INSERT INTO log_head (id, revision, document) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING";

const SWAP: &str = "UPDATE log_head SET revision = ?1, document = ?2 WHERE revision = ?3";

#[async_trait]
impl LogStore for SqliteStorage {
    async fn load_log_head(&self) -> Result<Option<StoredLogHead>, StorageError> {
        let load = |connection: &_| {
            optional(connection, HEAD, [], |row| {
                Ok(StoredLogHead {
                    revision: number(row, 0)?,
                    document: text(row, 1)?.to_owned(),
                })
            })
        };
        self.readers.run(load).await
    }

    async fn load_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
        let load = move |connection: &_| load_tile(connection, tile);
        self.readers.run(load).await
    }

    async fn seal(
        &self,
        previous: Option<u64>,
        next: &StoredLogHead,
        tiles: &[Tile],
    ) -> Result<bool, StorageError> {
        let (next, tiles) = (next.clone(), tiles.to_vec());
        self.write_log(move |connection| {
            for tile in &tiles {
                put(connection, tile)?;
            }
            let swapped = swap(connection, previous, &next).map_err(translate)?;
            Ok(swapped == 1)
        })
        .await
    }
}

fn load_tile(connection: &Connection, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
    let place = params![tile.level, tile.number.cast_signed()];
    optional(connection, TILE, place, |row| row.get(0).map_err(translate))
}

/// Stores a tile, or compares it with the one that is stored.
fn put(connection: &Connection, tile: &Tile) -> Result<(), StorageError> {
    let mut statement = connection.prepare_cached(PUT_TILE).map_err(translate)?;
    let row = params![tile.id.level, tile.id.number.cast_signed(), tile.hashes];
    if statement.execute(row).map_err(translate)? == 1 {
        return Ok(());
    }
    let stands = load_tile(connection, tile.id)?;
    tile.check(&stands.unwrap_or_default())
}

fn swap(
    connection: &Connection,
    previous: Option<u64>,
    next: &StoredLogHead,
) -> rusqlite::Result<usize> {
    let revision = next.revision.cast_signed();
    match previous.map(u64::cast_signed) {
        None => {
            let mut statement = connection.prepare_cached(FIRST)?;
            statement.execute(params![revision, next.document])
        }
        Some(previous) => {
            let mut statement = connection.prepare_cached(SWAP)?;
            statement.execute(params![revision, next.document, previous])
        }
    }
}
