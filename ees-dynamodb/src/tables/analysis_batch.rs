//! Reads and removes many items of the analysis table.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, WriteRequest};
use ees_core::{StorageError, Written};

use super::batch::pause;
use crate::error::translate;
use crate::items::{Item, text};
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;

/// The most items of one `BatchGetItem`.
const MAX_READ: usize = 100;

/// The most items of one `BatchWriteItem`.
const MAX_REMOVED: usize = 25;

impl Tables {
    /// Reads items of the analysis table with consistent reads, by their ids, which differ.
    pub(crate) async fn analysis_items(
        &self,
        ids: &[String],
    ) -> Result<HashMap<String, Item>, StorageError> {
        let mut found = HashMap::new();
        if let [id] = ids {
            let item = self.analysis(id).await?;
            found.extend(item.map(|item| (id.clone(), item)));
            return Ok(found);
        }
        for ids in ids.chunks(MAX_READ) {
            self.analysis_chunk(ids, &mut found).await?;
        }
        Ok(found)
    }

    async fn analysis_chunk(
        &self,
        ids: &[String],
        found: &mut HashMap<String, Item>,
    ) -> Result<(), StorageError> {
        let table = &self.config.analysis_table;
        let keys = ids.iter().map(|id| key(id)).collect();
        let asked = KeysAndAttributes::builder()
            .consistent_read(true)
            .set_keys(Some(keys))
            .build();
        let mut asked = Some(asked.map_err(|error| StorageError::Backend(Arc::new(error)))?);
        let mut idle = 0;
        while let Some(keys) = asked.take() {
            let get = self.client.batch_get_item().request_items(table, keys);
            let answer = get.send().await;
            let answer =
                answer.map_err(|error| translate("BatchGetItem", &error, Written::None))?;
            let before = found.len();
            let items = answer.responses.into_iter().flat_map(HashMap::into_values);
            for item in items.flatten() {
                let id = item.get(PROJECTION_ID).and_then(|id| id.as_s().ok());
                let id = id.ok_or_else(|| self.malformed(PROJECTION_ID))?.clone();
                found.insert(id, item);
            }
            asked = answer
                .unprocessed_keys
                .and_then(|mut rest| rest.remove(table));
            if asked.is_some() {
                idle = if found.len() > before { 0 } else { idle + 1 };
                pause(idle).await?;
            }
        }
        Ok(())
    }

    /// Removes items of the analysis table, which need not exist.
    pub(crate) async fn remove_analysis(&self, ids: Vec<String>) -> Result<(), StorageError> {
        let table = &self.config.analysis_table;
        for ids in ids.chunks(MAX_REMOVED) {
            let requests = ids.iter().map(|id| {
                let delete = DeleteRequest::builder().set_key(Some(key(id))).build();
                delete.map(|delete| WriteRequest::builder().delete_request(delete).build())
            });
            let requests: Result<Vec<_>, _> = requests.collect();
            let mut asked = requests.map_err(|error| StorageError::Backend(Arc::new(error)))?;
            let mut idle = 0;
            while !asked.is_empty() {
                let count = asked.len();
                let write = self.client.batch_write_item().request_items(table, asked);
                let answer = write.send().await;
                let answer = answer
                    .map_err(|error| translate("BatchWriteItem", &error, Written::Unknown))?;
                let rest = answer
                    .unprocessed_items
                    .and_then(|mut rest| rest.remove(table));
                asked = rest.unwrap_or_default();
                idle = if asked.len() < count { 0 } else { idle + 1 };
                pause(idle).await?;
            }
        }
        Ok(())
    }
}

fn key(id: &str) -> Item {
    Item::from([(PROJECTION_ID.to_owned(), text(id))])
}
