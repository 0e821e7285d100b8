//! The index port, which the indexer and the reader of the global order use.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use ees_core::adapter::{
    ChangesetKey, Entry, Index, IndexState, PositionWrite, SweepCursor, SweepPage,
};
use ees_core::{Changeset, Checkpoint, Page, PageLimit, StorageError, Timestamp};

use crate::DynamoStorage;
use crate::attempts::Attempts;
use crate::error::translate;
use crate::import_state::under_way;
use crate::index_state::REV;
use crate::items::{self, Item, Malformed, number};
use crate::layout::IndexPageSize;
use crate::tables::{Guard, Part, Tables};

#[async_trait]
impl Index for DynamoStorage {
    async fn load_state(&self) -> Result<IndexState, StorageError> {
        let _open = self.enter().await?;
        Ok(self.stored_state().await?.state)
    }

    async fn swap_state(&self, previous: u64, next: &IndexState) -> Result<bool, StorageError> {
        let _open = self.enter().await?;
        if self.imports.bound().is_some() {
            return Err(under_way("assigns no positions"));
        }
        let guard = Guard::Number(REV, previous);
        self.tables.put_state(guard, next).await
    }

    async fn look_up(&self, keys: &[ChangesetKey]) -> Result<Vec<Entry>, StorageError> {
        let _open = self.enter().await?;
        let known: Vec<_> = keys.iter().map(|key| self.positions.get(key)).collect();
        let unknown = keys.iter().zip(&known).filter(|(_, known)| known.is_none());
        let unknown: Vec<_> = unknown.map(|(key, _)| key.clone()).collect();
        let found = self.tables.batch(&unknown, Part::Numbers).await?;
        let pages = self.tables.layout.index_page;
        let entry = |key| match found.get(key).map(|item| items::check(item, pages)) {
            None => Entry::Missing,
            Some(Err(malformed)) => Entry::Malformed(malformed.reason),
            Some(Ok(position)) => position.map_or(Entry::Unindexed, Entry::At),
        };
        let entries = keys.iter().zip(known);
        Ok(entries
            .map(|(key, known)| known.map_or_else(|| entry(key), Entry::At))
            .collect())
    }

    async fn write_position(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<PositionWrite, StorageError> {
        let _open = self.enter().await?;
        let written = self.tables.write_position(key, position).await?;
        if written == PositionWrite::Written {
            self.positions.learn(key, position);
            self.news.announce();
        }
        Ok(written)
    }

    /// Reads from one page of the index. The result ends where that page ends. If nothing is found
    /// because the positions are void, it continues after them.
    async fn read_index(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, StorageError> {
        let _open = self.enter().await?;
        let found = self.read_index_page(from, limit).await?;
        let past = self.known_voids().past(from);
        if found.items.is_empty() && past > from {
            return self.read_index_page(past, limit).await;
        }
        Ok(found)
    }

    async fn fetch(&self, keys: &[ChangesetKey]) -> Result<Vec<Option<Changeset>>, StorageError> {
        let _open = self.enter().await?;
        let found = self.tables.batch(keys, Part::Whole).await?;
        let pages = self.tables.layout.index_page;
        let fetched = keys
            .iter()
            .map(|key| found.get(key).map(|item| items::positioned(item, pages)));
        Ok(fetched.map(Option::transpose).collect::<Result<_, _>>()?)
    }

    async fn past_void(&self, position: Checkpoint) -> Result<Checkpoint, StorageError> {
        let _open = self.enter().await?;
        Ok(self.known_voids().past(position))
    }

    async fn unindexed(&self, after: Option<&SweepCursor>) -> Result<SweepPage, StorageError> {
        let _open = self.enter().await?;
        let scan = self
            .tables
            .scan()
            .consistent_read(false)
            .filter_expression("attribute_not_exists(#page)");
        let start = after.map(cursor_key).transpose()?;
        let (items, next) = self.tables.scan_page(scan, start).await?;
        let (mut found, mut malformed) = (Vec::new(), 0);
        for item in items.iter().filter(|item| !items::is_reserved(item)) {
            match items::unindexed(item, self.tables.layout.index_page) {
                Ok(unindexed) => found.push(unindexed),
                Err(Malformed { key, reason }) => {
                    malformed += 1;
                    tracing::error!(
                        key,
                        reason,
                        "an item of the events table is not a changeset and gets no position"
                    );
                }
            }
        }
        let next = next.as_ref().map(cursor).transpose()?;
        Ok(SweepPage {
            found,
            malformed,
            next,
        })
    }

    async fn last_sweep(&self) -> Result<Option<Timestamp>, StorageError> {
        let _open = self.enter().await?;
        self.tables.last_sweep().await
    }

    async fn save_sweep(&self, begun: Timestamp) -> Result<(), StorageError> {
        let _open = self.enter().await?;
        self.tables.save_sweep(begun).await
    }

    async fn counts_agree(&self) -> Result<bool, StorageError> {
        let _open = self.enter().await?;
        self.tables.counts_agree().await
    }
}

impl Tables {
    /// Writes the positions of an intent where that is still possible. No indexer works on the
    /// intent afterwards, and no reader sees its changesets move.
    pub(crate) async fn complete(&self, state: &IndexState) -> Result<(), StorageError> {
        for (key, position) in state.members() {
            self.write_position(key, position).await?;
        }
        Ok(())
    }

    /// Writes the position with one conditional write.
    pub(crate) async fn write_position(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<PositionWrite, StorageError> {
        let pages = self.layout.index_page;
        let (page, page_item) = pages.place(position);
        let attempts = Attempts::default();
        let update = self
            .client
            .update_item()
            .table_name(&self.config.events_table)
            .set_key(Some(items::key(key)))
            .update_expression("SET #page = :page, page_item = :item")
            .condition_expression("attribute_exists(stream_id) AND attribute_not_exists(#page)")
            .expression_attribute_names("#page", items::PAGE)
            .expression_attribute_values(":page", number(page))
            .expression_attribute_values(":item", number(page_item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = update.customize().interceptor(attempts.clone());
        let Err(error) = update.send().await else {
            return Ok(PositionWrite::Written);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                refused(failed.item(), position, pages)
            }
            _ => Err(translate("UpdateItem", &error, attempts.written())),
        }
    }
}

/// The reason why a position was not written.
fn refused(
    found: Option<&Item>,
    position: Checkpoint,
    pages: IndexPageSize,
) -> Result<PositionWrite, StorageError> {
    let Some(found) = found else {
        return Ok(PositionWrite::Missing);
    };
    match items::position(found, pages)? {
        Some(found) if found == position => Ok(PositionWrite::AlreadyThere),
        Some(found) => Ok(PositionWrite::Other(found)),
        None => Ok(PositionWrite::Missing),
    }
}

/// The key at which a sweep continues, as JSON.
fn cursor(next: &Item) -> Result<SweepCursor, StorageError> {
    let stream_id = next
        .get(items::STREAM_ID)
        .and_then(|value| value.as_s().ok());
    let changeset_id = next
        .get(items::CHANGESET_ID)
        .and_then(|value| value.as_n().ok());
    let cursor = serde_json::to_string(&(stream_id, changeset_id));
    let cursor = cursor.map_err(|error| StorageError::Backend(std::sync::Arc::new(error)))?;
    Ok(SweepCursor(cursor))
}

fn cursor_key(cursor: &SweepCursor) -> Result<Item, StorageError> {
    let (stream_id, changeset_id): (String, String) = serde_json::from_str(&cursor.0)
        .map_err(|error| StorageError::Backend(std::sync::Arc::new(error)))?;
    Ok(Item::from([
        (items::STREAM_ID.to_owned(), items::text(stream_id)),
        (
            items::CHANGESET_ID.to_owned(),
            aws_sdk_dynamodb::types::AttributeValue::N(changeset_id),
        ),
    ]))
}
