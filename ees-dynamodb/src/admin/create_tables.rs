//! Making the two tables.

use std::time::Duration;

use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use ees_core::{StorageError, Written};

use crate::error::opening;
use crate::tables::built;
use crate::{Admin, OpenError, schema};

/// How long DynamoDB may take to make a table.
const CREATION: Duration = Duration::from_mins(5);

impl Admin {
    /// Makes those of the two tables that are missing, waits until they can be used, checks both,
    /// and gives a store that holds nothing its first state. Safe to repeat. Answers the names of
    /// the tables it made. Tables that hold changesets and have no state stay so, for
    /// [`Admin::take_over`] or [`Admin::rebuild_index`].
    ///
    /// # Errors
    /// [`OpenError`], also if a table that was there is not as it has to be.
    pub async fn create_tables(&self) -> Result<Vec<String>, OpenError> {
        let config = &self.tables.config;
        let mut made = Vec::new();
        for (table, definition) in [
            (&config.events_table, schema::events(config)),
            (&config.analysis_table, schema::analysis(config)),
        ] {
            if self.create(table, built(definition)?).await? {
                made.push(table.clone());
            }
        }
        self.tables.check_both().await?;
        self.tables.has_state().await?;
        Ok(made)
    }

    async fn create(
        &self,
        table: &str,
        definition: CreateTableInputBuilder,
    ) -> Result<bool, OpenError> {
        if self.tables.describe(table).await?.is_some() {
            return Ok(false);
        }
        if let Err(error) = definition.send_with(&self.tables.client).await {
            let raced = matches!(
                error.as_service_error(),
                Some(CreateTableError::ResourceInUseException(_))
            );
            if !raced {
                return Err(opening("CreateTable", &self.tables.at(), &error));
            }
        }
        let waiting = self.tables.client.wait_until_table_exists();
        let waited = waiting.table_name(table).wait(CREATION).await;
        waited.map_err(|error| {
            let reason = DisplayErrorContext(error).to_string();
            StorageError::unavailable(format!("table `{table}`: {reason}"), Written::Unknown)
        })?;
        Ok(true)
    }
}
