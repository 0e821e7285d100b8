//! The port that stores the hashes of a verifiable log.

use std::collections::HashSet;

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::{LogStore, StoredLogHead, Tile, TileId};
use sqlx::Row;

use crate::PostgresStorage;
use crate::rows::{corrupt, number, text};

const HEAD: &str = "SELECT revision, document FROM log_head WHERE id = 1";

pub(crate) const TILE: &str = "SELECT hashes FROM log_tiles WHERE level = $1 AND number = $2";

/// Stores tiles, and returns the places of those that were not stored before.
const PUT_TILES: &str = "
    INSERT INTO log_tiles (level, number, hashes)
    SELECT level, number, hashes
    FROM unnest($1::integer[], $2::bigint[], $3::bytea[]) AS new (level, number, hashes)
    ON CONFLICT (level, number) DO NOTHING RETURNING level::bigint, number";

const FIRST: &str = "
    INSERT INTO log_head (id, revision, document) VALUES (1, $1, $2)
    ON CONFLICT DO NOTHING RETURNING id";

const SWAP: &str = "
    UPDATE log_head SET revision = $1, document = $2 WHERE revision = $3 RETURNING id";

#[async_trait]
impl LogStore for PostgresStorage {
    async fn load_log_head(&self) -> Result<Option<StoredLogHead>, StorageError> {
        let row = self.one(|| sqlx::query(HEAD)).await?;
        let head = row.map(|row| {
            Ok(StoredLogHead {
                revision: number(&row, 0)?,
                document: text(&row, 1)?.to_owned(),
            })
        });
        head.transpose()
    }

    async fn load_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
        let load = || {
            sqlx::query(TILE)
                .bind(i32::from(tile.level))
                .bind(tile.number.cast_signed())
        };
        let row = self.one(load).await?;
        let hashes = row.map(|row| row.try_get(0).map_err(|error| corrupt(0, &error)));
        hashes.transpose()
    }

    /// Stores the tiles first, in a transaction of their own, and then the head. Every sealer makes the
    /// same tiles.
    async fn seal(
        &self,
        previous: Option<u64>,
        next: &StoredLogHead,
        tiles: &[Tile],
    ) -> Result<bool, StorageError> {
        if !tiles.is_empty() {
            self.put_tiles(tiles).await?;
        }
        let swap = || {
            let statement = sqlx::query(if previous.is_some() { SWAP } else { FIRST });
            let statement = statement
                .bind(next.revision.cast_signed())
                .bind(&next.document);
            match previous {
                Some(previous) => statement.bind(previous.cast_signed()),
                None => statement,
            }
        };
        Ok(self.one(swap).await?.is_some())
    }
}

impl PostgresStorage {
    /// Stores tiles, and compares those that are stored already.
    async fn put_tiles(&self, tiles: &[Tile]) -> Result<(), StorageError> {
        // Sealers that store the same tiles at once wait for each other, and so in one order.
        let mut tiles: Vec<&Tile> = tiles.iter().collect();
        tiles.sort_unstable_by_key(|tile| tile.id);
        let levels: Vec<i32> = tiles.iter().map(|tile| i32::from(tile.id.level)).collect();
        let numbers: Vec<i64> = tiles
            .iter()
            .map(|tile| tile.id.number.cast_signed())
            .collect();
        let hashes: Vec<&[u8]> = tiles.iter().map(|tile| &tile.hashes[..]).collect();
        let put = || {
            sqlx::query(PUT_TILES)
                .bind(levels.clone())
                .bind(numbers.clone())
                .bind(hashes.clone())
        };
        let rows = self.all(put).await?;
        let new = rows
            .iter()
            .map(|row| Ok((number(row, 0)?, number(row, 1)?)));
        let new = new.collect::<Result<HashSet<(u64, u64)>, StorageError>>()?;
        for tile in tiles {
            if !new.contains(&(tile.id.level.into(), tile.id.number)) {
                let stands = self.load_tile(tile.id).await?;
                tile.check(&stands.unwrap_or_default())?;
            }
        }
        Ok(())
    }
}
