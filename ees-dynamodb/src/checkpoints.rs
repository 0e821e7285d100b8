//! The port that stores the checkpoints of subscriptions, each in an item of the analysis table.

use async_trait::async_trait;
use ees_core::{Checkpoint, CheckpointStore, StorageError};

use crate::DynamoStorage;
use crate::attempts::Attempts;
use crate::error::translate;
use crate::items::{number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::count;

/// What precedes the name of a subscription in the id of its item.
pub(crate) const SUBSCRIPTION: &str = "ees:subscription:";

const CHECKPOINT: &str = "checkpoint";

#[async_trait]
impl CheckpointStore for DynamoStorage {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        let _open = self.enter().await?;
        let id = subscription_id(subscription);
        let Some(item) = self.tables.analysis(&id).await? else {
            return Ok(None);
        };
        let found = count(&item, CHECKPOINT).and_then(|count| Checkpoint::new(count).ok());
        found.ok_or_else(|| self.tables.malformed(&id)).map(Some)
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        let _open = self.enter().await?;
        let attempts = Attempts::default();
        let put = self
            .tables
            .client
            .put_item()
            .table_name(&self.tables.config.analysis_table)
            .item(PROJECTION_ID, text(subscription_id(subscription)))
            .item(CHECKPOINT, number(checkpoint.get()));
        let put = put.customize().interceptor(attempts.clone()).send().await;
        put.map_err(|error| translate("PutItem", &error, attempts.written()))?;
        Ok(())
    }
}

fn subscription_id(subscription: &str) -> String {
    format!("{SUBSCRIPTION}{subscription}")
}
