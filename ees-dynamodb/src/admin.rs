//! What an operator does to the tables, each an explicit act.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use ees_core::ports::{StorageError, Written};

use crate::error::opening;
use crate::opening::{built, check_surroundings};
use crate::tables::Tables;
use crate::{DynamoConfig, OpenError, schema};

/// How long DynamoDB may take to make a table.
const CREATION: Duration = Duration::from_mins(5);

/// The operator's side of a store in DynamoDB.
#[derive(Debug, Clone)]
pub struct Admin {
    pub(crate) tables: Tables,
}

impl Admin {
    /// The operator of a store. Nothing is asked yet but the credentials.
    ///
    /// # Errors
    /// [`OpenError::NoRegion`] or [`OpenError::NoCredentials`].
    pub async fn new(config: &DynamoConfig, sdk: &SdkConfig) -> Result<Self, OpenError> {
        check_surroundings(sdk).await?;
        let tables = Tables::new(config, sdk);
        Ok(Self { tables })
    }

    /// Makes those of the two tables that are missing, waits until they can be used, checks both,
    /// and gives a store that holds nothing its first state. Safe to repeat. Answers the names of
    /// the tables it made.
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
        self.tables.ensure_state().await?;
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
