//! Stores the progress of sweeps in the analysis table: the cursor of an unfinished sweep, since
//! one sweep may take many runs of a function, and the time at which the last sweep began.

use aws_sdk_dynamodb::types::GlobalSecondaryIndexDescription;
use ees_core::adapter::SweepCursor;
use ees_core::{StorageError, Timestamp, Written};

use crate::DynamoStorage;
use crate::error::translate;
use crate::items::{Item, text};
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;

const SWEEP: &str = "ees:sweep";
const CURSOR: &str = "cursor";

/// This is a separate item, because saving a cursor replaces the whole item of the cursor.
const LAST_SWEEP: &str = "ees:last-sweep";
const BEGUN: &str = "begun";

impl DynamoStorage {
    /// The cursor of an unfinished sweep; `None` if the next sweep begins at the start.
    ///
    /// # Errors
    /// [`StorageError`] if DynamoDB fails.
    pub async fn sweep_cursor(&self) -> Result<Option<SweepCursor>, StorageError> {
        let _open = self.enter().await?;
        let item = self.tables.analysis(SWEEP).await?;
        let cursor = item.and_then(|mut item| item.remove(CURSOR));
        // A sweep may always begin at the start, so an invalid cursor counts as none.
        Ok(cursor.and_then(|cursor| Some(SweepCursor(cursor.as_s().ok()?.clone()))))
    }

    /// Saves the cursor of a sweep. `None` means that the sweep is complete.
    ///
    /// # Errors
    /// [`StorageError`] if DynamoDB fails. The cursor may have been saved.
    pub async fn save_sweep_cursor(
        &self,
        cursor: Option<&SweepCursor>,
    ) -> Result<(), StorageError> {
        let _open = self.enter().await?;
        let mut item = Item::from([(PROJECTION_ID.to_owned(), text(SWEEP))]);
        if let Some(SweepCursor(cursor)) = cursor {
            item.insert(CURSOR.to_owned(), text(cursor));
        }
        self.tables.save_progress(item).await
    }
}

impl Tables {
    /// Whether the item counts that DynamoDB keeps say that every changeset has a position: the
    /// events table has as many items as the global index. DynamoDB renews the counts about every
    /// six hours, and not at the same moment, so that they may also agree by chance.
    pub(crate) async fn counts_agree(&self) -> Result<bool, StorageError> {
        let (table, index) = (&self.config.events_table, &self.config.indexes.enumeration);
        let described = self.client.describe_table().table_name(table).send();
        let described = described
            .await
            .map_err(|error| translate("DescribeTable", &error, Written::None))?;
        let Some(found) = described.table else {
            return Ok(false);
        };
        let mut indexes = found.global_secondary_indexes().iter();
        let order = indexes.find(|order| order.index_name() == Some(index));
        let entries = order.and_then(GlobalSecondaryIndexDescription::item_count);
        Ok(entries.is_some() && entries == found.item_count())
    }

    /// The time at which the last sweep began. An invalid time counts as none, which begins a new
    /// period.
    pub(crate) async fn last_sweep(&self) -> Result<Option<Timestamp>, StorageError> {
        let item = self.analysis(LAST_SWEEP).await?;
        let begun = item.and_then(|mut item| item.remove(BEGUN));
        Ok(begun.and_then(|begun| begun.as_s().ok()?.parse().ok()))
    }

    pub(crate) async fn save_sweep(&self, begun: Timestamp) -> Result<(), StorageError> {
        self.save_progress(Item::from([
            (PROJECTION_ID.to_owned(), text(LAST_SWEEP)),
            (BEGUN.to_owned(), text(begun.to_string())),
        ]))
        .await
    }

    /// Replaces an item of the analysis table.
    async fn save_progress(&self, item: Item) -> Result<(), StorageError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.config.analysis_table)
            .set_item(Some(item));
        // A reader may find the old item or the new one; both are correct.
        let saved = put.send().await;
        saved.map_err(|error| translate("PutItem", &error, Written::Unknown))?;
        Ok(())
    }
}
