//! Looking at the tables before they are used.

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::{Builder, ProvideCredentials};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::CreateTableInput;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{ProjectionType, TableDescription};
use ees_core::StorageError;
use ees_core::adapter::IndexState;

use crate::error::opening;
use crate::schema::check::check;
use crate::state::Guard;
use crate::storage::Opened;
use crate::tables::Tables;
use crate::{DynamoConfig, OpenError, schema};

/// The most that an item may have, its entries in local indexes included.
const MAX_ITEM_BYTES: usize = 400 * 1024;

/// The most that a changeset takes beside its payload: names, ids, a position, and two entries of
/// keys alone in local indexes, with a stream id of 1024 bytes and a commit id of 255.
const MAX_OVERHEAD_BYTES: usize = 4 * 1024;

/// The most that it takes once more in each local index that holds all of it.
const MAX_COPY_BYTES: usize = 2 * 1024;

/// How fast the SDK's quota of retries refills, which begins with 500 and of which one costs 5, or
/// 10. Without it only answers that succeed would give anything back, one each, and conflicts do
/// not count as such.
const QUOTA_PER_SECOND: f32 = 50.0;

impl Tables {
    pub(crate) fn new(config: &DynamoConfig, sdk: &SdkConfig) -> Self {
        let quota = TokenBucket::builder().refill_rate(QUOTA_PER_SECOND);
        let conf = Builder::from(sdk)
            .behavior_version(BehaviorVersion::v2026_01_12())
            .retry_partition(
                RetryPartition::custom("ees")
                    .token_bucket(quota.build())
                    .build(),
            );
        let mut config = config.clone();
        config.endpoint.region = sdk.region().map(ToString::to_string);
        Self {
            client: Client::from_conf(conf.build()),
            config: config.into(),
        }
    }

    /// Where the tables are, for people.
    pub(crate) fn at(&self) -> String {
        let region = self.config.endpoint.region.as_deref().unwrap_or("?");
        match &self.config.endpoint.url {
            Some(endpoint) => format!("DynamoDB at {endpoint} (region {region})"),
            None => format!("DynamoDB in region {region}"),
        }
    }

    /// What DynamoDB says of a table; `None` if there is none.
    pub(crate) async fn describe(
        &self,
        table: &str,
    ) -> Result<Option<TableDescription>, OpenError> {
        let described = self.client.describe_table().table_name(table).send().await;
        match described {
            Ok(described) => Ok(described.table),
            Err(error) => match error.as_service_error() {
                Some(DescribeTableError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(opening("DescribeTable", &self.at(), &error)),
            },
        }
    }

    /// Looks at a table, and compares it with its definition.
    pub(crate) async fn checked(
        &self,
        wanted: &CreateTableInput,
    ) -> Result<TableDescription, OpenError> {
        let table = wanted.table_name().unwrap_or_default();
        let mend = |found: String, expected: String, mend: String| OpenError::Table {
            table: table.to_owned(),
            at: self.at(),
            found,
            expected,
            mend,
        };
        let Some(found) = self.describe(table).await? else {
            let create = format!(
                "Check table, region and account; to make the tables: \
                 ees admin create-tables --storage '{}'",
                self.config
            );
            return Err(mend(
                "no such table".into(),
                "one of this name".into(),
                create,
            ));
        };
        match check(&found, wanted) {
            Ok(()) => Ok(found),
            Err(wrong) => Err(mend(wrong.found, wrong.expected, wrong.mend.to_owned())),
        }
    }

    /// Whether there is an index state, which a store that holds nothing yet gets.
    pub(crate) async fn has_state(&self) -> Result<bool, StorageError> {
        if self.find_state().await?.is_some() {
            return Ok(true);
        }
        let (items, next) = self.scan_page(self.scan().limit(1), None).await?;
        if !items.is_empty() || next.is_some() {
            return Ok(false);
        }
        // Should another be faster, it is the same state.
        self.put_state(Guard::Absent, &IndexState::default())
            .await?;
        Ok(true)
    }

    fn no_state(&self) -> OpenError {
        OpenError::Table {
            table: self.config.analysis_table.clone(),
            at: self.at(),
            found: format!(
                "no index state, although table `{}` holds changesets",
                self.config.events_table
            ),
            expected: "the state that belongs to them".to_owned(),
            mend: "Restore both tables together, to one point in time. For a table of the Python \
                   original run `ees admin take-over`; to make the state anew from the positions \
                   that changesets have, `ees admin rebuild-index`"
                .to_owned(),
        }
    }
}

/// Looks at both tables.
pub(crate) async fn open(tables: &Tables, sdk: &SdkConfig) -> Result<Opened, OpenError> {
    check_surroundings(sdk).await?;
    let (events, _) = tables.check_both().await?;
    if !tables.has_state().await? {
        return Err(tables.no_state());
    }
    Ok(Opened {
        max_changeset_bytes: max_changeset_bytes(&events),
        stream_arn: events.latest_stream_arn.unwrap_or_default(),
        voids: tables.voids().await?,
    })
}

impl Tables {
    /// Looks at both tables, and compares them with their definitions.
    pub(crate) async fn check_both(
        &self,
    ) -> Result<(TableDescription, TableDescription), OpenError> {
        let events = built(schema::events_table(&self.config))?;
        let analysis = built(schema::analysis_table(&self.config))?;
        futures_util::future::try_join(self.checked(&events), self.checked(&analysis)).await
    }
}

/// A definition, which always has what it needs.
pub(crate) fn built<T>(definition: Result<T, BuildError>) -> Result<T, OpenError> {
    definition.map_err(|error| StorageError::Backend(Arc::new(error)).into())
}

/// Whether there are a region and credentials, before DynamoDB is asked anything.
pub(crate) async fn check_surroundings(sdk: &SdkConfig) -> Result<(), OpenError> {
    if sdk.region().is_none() {
        return Err(OpenError::NoRegion);
    }
    let none = || OpenError::NoCredentials("none are configured".to_owned());
    let provider = sdk.credentials_provider().ok_or_else(none)?;
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error) => Err(OpenError::NoCredentials(error.to_string())),
    }
}

/// The most payload that a changeset may have so that it, its entries in local indexes, and later
/// its position fit.
fn max_changeset_bytes(events: &TableDescription) -> usize {
    let holds_all = |of: Option<&ProjectionType>| of != Some(&ProjectionType::KeysOnly);
    let indexes = events.local_secondary_indexes().iter();
    let held = indexes.map(|index| index.projection().and_then(|held| held.projection_type()));
    let copies = held.filter(|of| holds_all(*of)).count();
    (MAX_ITEM_BYTES - MAX_OVERHEAD_BYTES - copies * MAX_COPY_BYTES) / (1 + copies)
}
