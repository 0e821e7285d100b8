//! How far a sweep has come, in the analysis table: a table of any size is swept in many runs.

use ees_core::adapter::SweepCursor;
use ees_core::{StorageError, Written};

use crate::DynamoStorage;
use crate::error::translate;
use crate::items::text;
use crate::schema::PROJECTION_ID;

const SWEEP: &str = "ees:sweep";
const CURSOR: &str = "cursor";

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
        let put = self
            .tables
            .client
            .put_item()
            .table_name(&self.tables.config.analysis_table)
            .item(PROJECTION_ID, text(SWEEP));
        let put = match cursor {
            Some(SweepCursor(cursor)) => put.item(CURSOR, text(cursor)),
            None => put,
        };
        // Whether it was written or not is the same to who reads it later.
        let saved = put.send().await;
        saved.map_err(|error| translate("PutItem", &error, Written::Unknown))?;
        Ok(())
    }
}
