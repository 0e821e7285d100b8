//! Sweeps, in the analysis table: how far the one that runs has come, as a table of any size is
//! swept in many runs; and when the last one began.

use ees_core::adapter::SweepCursor;
use ees_core::{StorageError, Timestamp, Written};

use crate::DynamoStorage;
use crate::error::translate;
use crate::items::{Item, text};
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;

const SWEEP: &str = "ees:sweep";
const CURSOR: &str = "cursor";

/// An item of its own: saving a cursor replaces the whole item that the cursor is in.
const LAST_SWEEP: &str = "ees:last-sweep";
const BEGUN: &str = "begun";

impl DynamoStorage {
    /// Where the sweep that was left unfinished goes on; `None` if the next one begins anew.
    ///
    /// # Errors
    /// [`StorageError`] if DynamoDB fails.
    pub async fn sweep_cursor(&self) -> Result<Option<SweepCursor>, StorageError> {
        let _open = self.enter().await?;
        let item = self.tables.analysis(SWEEP).await?;
        let cursor = item.and_then(|mut item| item.remove(CURSOR));
        // To begin anew is never wrong.
        Ok(cursor.and_then(|cursor| Some(SweepCursor(cursor.as_s().ok()?.clone()))))
    }

    /// Remembers how far a sweep has come; `None` that it came to its end.
    ///
    /// # Errors
    /// [`StorageError`] if DynamoDB fails; it may be remembered then.
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
    /// When the last sweep began. A time that cannot be read is none: then a new period begins.
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
        // Whether it was written or not is the same to who reads it later.
        let saved = put.send().await;
        saved.map_err(|error| translate("PutItem", &error, Written::Unknown))?;
        Ok(())
    }
}
