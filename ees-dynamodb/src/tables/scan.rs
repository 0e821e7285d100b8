//! Reads the whole events table.

use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use ees_core::{StorageError, Written};

use crate::error::translate;
use crate::items::{self, Item};
use crate::tables::Tables;

impl Tables {
    /// A consistent scan of the events table, without the payloads.
    pub(crate) fn scan(&self) -> ScanFluentBuilder {
        self.client
            .scan()
            .table_name(&self.config.events_table)
            .consistent_read(true)
            .projection_expression(items::WITHOUT_PAYLOAD)
            .expression_attribute_names("#timestamp", items::TIMESTAMP)
            .expression_attribute_names("#page", items::PAGE)
    }

    /// A consistent scan of the events table, of keys and commit ids alone.
    pub(crate) fn scan_keys(&self) -> ScanFluentBuilder {
        self.client
            .scan()
            .table_name(&self.config.events_table)
            .consistent_read(true)
            .projection_expression(items::WITH_COMMIT_ID)
    }

    /// Sends one request of a scan. Returns its items and the key at which the scan continues.
    pub(crate) async fn scan_page(
        &self,
        scan: ScanFluentBuilder,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), StorageError> {
        let found = scan.set_exclusive_start_key(start).send().await;
        let found = found.map_err(|error| translate("Scan", &error, Written::None))?;
        Ok((found.items.unwrap_or_default(), found.last_evaluated_key))
    }
}
