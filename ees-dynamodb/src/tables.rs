//! The two tables: the client that reaches them, and the check against their definition.

mod analysis_batch;
mod batch;
mod conflicts;
mod event_search;
mod guarded_swap;
mod scan;
mod stream_queries;
mod transact;

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::CreateTableInput;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::TableDescription;
use ees_core::StorageError;

use crate::error::opening;
use crate::layout::Layout;
use crate::schema::TableOptions;
use crate::schema::check::check;
use crate::stored_state::StoredState;
use crate::{DynamoConfig, OpenError, schema};

pub(crate) use batch::{Part, pause};
use conflicts::RetryConflicts;
pub(crate) use guarded_swap::{ABSENT, Guard, count};
pub(crate) use stream_queries::{End, Placed, page};
pub(crate) use transact::{NO_CHANGESET, SIZE_LIMIT, Transacted, UNMET};

/// The tokens per second that refill the SDK's quota of retries. The quota has 500 tokens at first,
/// and a retry costs 5 or 10. Without this refill the quota would only get one token back for each
/// success, and conflicts do not count as successes.
const QUOTA_PER_SECOND: f32 = 50.0;

/// Both tables and the client. Cheap to clone. The layout is that of a table of the Python original
/// until [`Tables::recognised`].
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) client: Client,
    pub(crate) config: Arc<DynamoConfig>,
    pub(crate) layout: Layout,
}

impl Tables {
    pub(crate) fn new(config: &DynamoConfig, sdk: &SdkConfig) -> Self {
        let quota = TokenBucket::builder().refill_rate(QUOTA_PER_SECOND);
        let conf = Builder::from(sdk)
            .behavior_version(BehaviorVersion::v2026_01_12())
            .retry_classifier(RetryConflicts)
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
            layout: Layout::UNKNOWN,
        }
    }

    /// The endpoint and region of the tables, for messages.
    pub(crate) fn at(&self) -> String {
        let region = self.config.endpoint.region.as_deref().unwrap_or("?");
        match &self.config.endpoint.url {
            Some(endpoint) => format!("DynamoDB at {endpoint} (region {region})"),
            None => format!("DynamoDB in region {region}"),
        }
    }

    /// The description of a table; `None` if the table does not exist.
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

    /// Compares a table with its definition.
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
                "Check the table, the region and the account. To create the tables, run: \
                 ees admin create-tables --storage '{}'",
                self.config
            );
            return Err(mend(
                "no such table".into(),
                "a table of this name".into(),
                create,
            ));
        };
        match check(&found, wanted) {
            Ok(()) => Ok(found),
            Err(wrong) => Err(mend(wrong.found, wrong.expected, wrong.mend.to_owned())),
        }
    }

    /// Compares both tables with their definitions.
    pub(crate) async fn check_both(
        &self,
    ) -> Result<(TableDescription, TableDescription), OpenError> {
        let events = built(schema::events_table(&self.config, TableOptions::default()))?;
        let analysis = built(schema::analysis_table(&self.config))?;
        futures_util::future::try_join(self.checked(&events), self.checked(&analysis)).await
    }
}

/// Tables with their layout, and what was found in them.
#[derive(Debug)]
pub(crate) struct Recognised {
    pub(crate) tables: Tables,
    pub(crate) events: TableDescription,
    pub(crate) state: Option<StoredState>,
}

impl Tables {
    /// Compares both tables with their definitions, and recognises their layout.
    pub(crate) async fn recognise(&self) -> Result<Recognised, OpenError> {
        let (events, _) = self.check_both().await?;
        let mut tables = self.clone();
        tables.layout = Layout::of(&events, &self.config);
        let state = tables.find_state().await?;
        if let Some(found) = &state {
            tables.layout.index_page = found.size;
        }
        Ok(Recognised {
            tables,
            events,
            state,
        })
    }
}

/// Unwraps a definition, which is always complete.
pub(crate) fn built<T>(definition: Result<T, BuildError>) -> Result<T, OpenError> {
    definition.map_err(|error| StorageError::Backend(Arc::new(error)).into())
}
