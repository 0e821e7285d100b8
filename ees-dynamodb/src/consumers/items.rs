//! The items of consumers, and the requests that write them.

use std::sync::Arc;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use ees_core::{StorageError, Written};

use crate::error::translate;
use crate::items::text;
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;

/// The id of the item that names all consumers.
pub(super) const CONSUMERS: &str = "ees:consumers";

pub(super) const NAMES: &str = "names";
pub(super) const DEFINITION: &str = "definition";
pub(super) const REVISION: &str = "revision";
pub(super) const DOCUMENT: &str = "document";

pub(super) fn definition_id(name: &str) -> String {
    format!("ees:consumer:{name}")
}

pub(super) fn partition_id(id: &str, partition: u16) -> String {
    format!("ees:consumer:{id}:{partition}")
}

pub(super) fn parked_id(id: &str, partition: u16, slot: u16) -> String {
    format!("ees:consumer:{id}:{partition}:{slot}")
}

impl Tables {
    /// Adds a name to the list of consumers, or takes it away.
    pub(super) async fn list_consumer(&self, name: &str, add: bool) -> Result<(), StorageError> {
        let update = if add {
            "ADD #names :names"
        } else {
            "DELETE #names :names"
        };
        let names = AttributeValue::Ss(vec![name.to_owned()]);
        let update = self
            .client
            .update_item()
            .table_name(&self.config.analysis_table)
            .key(PROJECTION_ID, text(CONSUMERS))
            .update_expression(update)
            .expression_attribute_names("#names", NAMES)
            .expression_attribute_values(":names", names);
        let updated = update.send().await;
        updated.map_err(|error| translate("UpdateItem", &error, Written::Unknown))?;
        Ok(())
    }

    /// Removes a definition if it still is this one. Returns whether it was.
    pub(super) async fn remove_definition(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<bool, StorageError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.config.analysis_table)
            .key(PROJECTION_ID, text(definition_id(name)))
            .condition_expression("#definition = :definition")
            .expression_attribute_names("#definition", DEFINITION)
            .expression_attribute_values(":definition", text(definition));
        let Err(error) = delete.send().await else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(translate("DeleteItem", &error, Written::Unknown)),
        }
    }

    /// A part of a transaction: writes a parked stream, or removes it.
    pub(super) fn parked(
        &self,
        id: String,
        document: Option<&str>,
    ) -> Result<TransactWriteItem, StorageError> {
        let table = &self.config.analysis_table;
        let write = TransactWriteItem::builder();
        let write = if let Some(document) = document {
            let put = Put::builder()
                .table_name(table)
                .item(PROJECTION_ID, text(id))
                .item(DOCUMENT, text(document));
            write.put(put.build().map_err(backend)?)
        } else {
            let delete = Delete::builder()
                .table_name(table)
                .key(PROJECTION_ID, text(id));
            write.delete(delete.build().map_err(backend)?)
        };
        Ok(write.build())
    }
}

fn backend(error: BuildError) -> StorageError {
    StorageError::Backend(Arc::new(error))
}
