//! Conditional writes of items of the analysis table.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ees_core::adapter::parse_number;
use ees_core::{StorageError, Written};

use crate::attempts::Attempts;
use crate::error::translate;
use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;

/// The condition that the item does not exist.
pub(crate) const ABSENT: &str = "attribute_not_exists(projection_id)";

/// The condition of a write.
pub(crate) enum Guard {
    /// The item does not exist.
    Absent,
    /// The item has this value in this attribute.
    Number(&'static str, u64),
    /// The item has this text in this attribute.
    Text(&'static str, String),
    /// Either of the two.
    AbsentOrNumber(&'static str, u64),
}

impl Guard {
    /// The guard as a condition expression. With it come the name of the attribute that it calls
    /// `#guarded`, and the value that it calls `:previous`.
    pub(super) fn condition(self) -> (String, Option<(&'static str, AttributeValue)>) {
        let equal = "#guarded = :previous";
        match self {
            Self::Absent => (ABSENT.to_owned(), None),
            Self::Number(name, previous) => (equal.to_owned(), Some((name, number(previous)))),
            Self::Text(name, previous) => (equal.to_owned(), Some((name, text(previous)))),
            Self::AbsentOrNumber(name, previous) => {
                let either = format!("{ABSENT} OR {equal}");
                (either, Some((name, number(previous))))
            }
        }
    }
}

impl Tables {
    /// Reads an item of the analysis table with a consistent read.
    pub(crate) async fn analysis(&self, id: &str) -> Result<Option<Item>, StorageError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.config.analysis_table)
            .key(PROJECTION_ID, text(id))
            .consistent_read(true);
        let found = get.send().await;
        let found = found.map_err(|error| translate("GetItem", &error, Written::None))?;
        Ok(found.item)
    }

    /// Replaces an item of the analysis table if the guard holds. Returns whether it did. If an
    /// earlier attempt may have written, the stored item decides.
    pub(crate) async fn swap(&self, guard: Guard, item: Item) -> Result<bool, StorageError> {
        let attempts = Attempts::default();
        let put = self
            .client
            .put_item()
            .table_name(&self.config.analysis_table)
            .set_item(Some(item.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let (condition, value) = guard.condition();
        let mut put = put.condition_expression(condition);
        if let Some((name, value)) = value {
            put = put
                .expression_attribute_names("#guarded", name)
                .expression_attribute_values(":previous", value);
        }
        let put = put.customize().interceptor(attempts.clone()).send().await;
        let Err(error) = put else { return Ok(true) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(attempts.written() == Written::Unknown && failed.item() == Some(&item))
            }
            _ => Err(translate("PutItem", &error, attempts.written())),
        }
    }

    /// The error of an item of the analysis table that cannot be read.
    pub(crate) fn malformed(&self, id: &str) -> StorageError {
        let table = &self.config.analysis_table;
        StorageError::Corrupt(format!("item `{id}` of table `{table}` cannot be read"))
    }
}

/// Reads a number attribute of an item.
pub(crate) fn count(item: &Item, name: &str) -> Option<u64> {
    parse_number(item.get(name)?.as_n().ok()?)
}
