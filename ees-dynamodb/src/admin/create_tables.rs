//! Creates the two tables.

use std::time::Duration;

use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use ees_core::{StorageError, Written};

use crate::error::opening;
use crate::schema::TableOptions;
use crate::tables::{Recognised, built};
use crate::{Admin, OpenError, schema};

/// How long DynamoDB may take to create a table.
const CREATION: Duration = Duration::from_mins(5);

impl Admin {
    /// [`Admin::create_tables_with`] the default options.
    ///
    /// # Errors
    /// [`OpenError`], also if an existing table differs from its definition.
    pub async fn create_tables(&self) -> Result<Vec<String>, OpenError> {
        self.create_tables_with(TableOptions::default()).await
    }

    /// Creates those of the two tables that are missing, waits until they are active, and checks
    /// both. An empty store gets its first index state. Returns the names of the created tables.
    /// The call is safe to repeat. The options do not change a table that exists.
    ///
    /// Tables that contain changesets and have no index state do not get one. [`Admin::take_over`]
    /// and [`Admin::rebuild_index`] are for such tables.
    ///
    /// # Errors
    /// [`OpenError`], also if an existing table differs from its definition.
    pub async fn create_tables_with(
        &self,
        options: TableOptions,
    ) -> Result<Vec<String>, OpenError> {
        let config = &self.tables.config;
        let mut made = Vec::new();
        for (table, definition) in [
            (&config.events_table, schema::events(config, options)),
            (&config.analysis_table, schema::analysis(config)),
        ] {
            if self.create(table, built(definition)?).await? {
                made.push(table.clone());
            }
        }
        let Recognised { tables, .. } = self.tables.recognise().await?;
        let size = Some(options.index_page).filter(|_| !tables.layout.index_holds_all);
        tables.with_state(size).await?;
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
