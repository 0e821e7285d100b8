//! The port that stores the hashes of a verifiable log, in items of the analysis table: one for the
//! head, and one for each tile.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ees_core::adapter::{LogStore, StoredLogHead, Tile, TileId};
use ees_core::{StorageError, Written};
use futures_util::future::try_join_all;

use crate::DynamoStorage;
use crate::error::translate;
use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::{ABSENT, Guard, Tables, count};

const HEAD: &str = "ees:log";
const REVISION: &str = "revision";
const DOCUMENT: &str = "document";
const HASHES: &str = "hashes";

/// How many tiles are written at once.
const AT_ONCE: usize = 8;

#[async_trait]
impl LogStore for DynamoStorage {
    async fn load_log_head(&self) -> Result<Option<StoredLogHead>, StorageError> {
        let _open = self.enter().await?;
        let Some(item) = self.tables.analysis(HEAD).await? else {
            return Ok(None);
        };
        let head = head(&item).ok_or_else(|| self.tables.malformed(HEAD))?;
        Ok(Some(head))
    }

    async fn load_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
        let _open = self.enter().await?;
        let id = tile_id(tile);
        let Some(item) = self.tables.analysis(&id).await? else {
            return Ok(None);
        };
        let hashes = hashes(&item).ok_or_else(|| self.tables.malformed(&id))?;
        Ok(Some(hashes.to_vec()))
    }

    async fn seal(
        &self,
        previous: Option<u64>,
        next: &StoredLogHead,
        tiles: &[Tile],
    ) -> Result<bool, StorageError> {
        let _open = self.enter().await?;
        for tiles in tiles.chunks(AT_ONCE) {
            try_join_all(tiles.iter().map(|tile| self.tables.put_tile(tile))).await?;
        }
        let guard = previous.map_or(Guard::Absent, |previous| Guard::Number(REVISION, previous));
        let item = Item::from([
            (PROJECTION_ID.to_owned(), text(HEAD)),
            (REVISION.to_owned(), number(next.revision)),
            (DOCUMENT.to_owned(), text(&next.document)),
        ]);
        self.tables.swap(guard, item).await
    }
}

impl Tables {
    /// Writes a tile if it is not stored, and otherwise compares it.
    async fn put_tile(&self, tile: &Tile) -> Result<(), StorageError> {
        let id = tile_id(tile.id);
        let put = self
            .client
            .put_item()
            .table_name(&self.config.analysis_table)
            .item(PROJECTION_ID, text(&id))
            .item(HASHES, AttributeValue::B(Blob::new(&*tile.hashes)))
            .condition_expression(ABSENT)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let stands = failed.item().and_then(hashes);
                tile.check(stands.ok_or_else(|| self.malformed(&id))?)
            }
            // Whether it was written does not matter: every sealer makes the same one.
            _ => Err(translate("PutItem", &error, Written::None)),
        }
    }
}

fn tile_id(TileId { level, number }: TileId) -> String {
    format!("ees:tile:{level}:{number}")
}

fn head(item: &Item) -> Option<StoredLogHead> {
    Some(StoredLogHead {
        revision: count(item, REVISION)?,
        document: item.get(DOCUMENT)?.as_s().ok()?.clone(),
    })
}

fn hashes(item: &Item) -> Option<&[u8]> {
    let hashes = item.get(HASHES)?.as_b().ok()?;
    Some(hashes.as_ref())
}
