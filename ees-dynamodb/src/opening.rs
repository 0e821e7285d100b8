//! Looking at the tables before they are used.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::ProvideCredentials;
use aws_sdk_dynamodb::types::{ProjectionType, TableDescription};

use crate::OpenError;
use crate::tables::Tables;
use crate::voids::Voids;

/// The most that an item may have, its entries in local indexes included.
const MAX_ITEM_BYTES: usize = 400 * 1024;

/// The most that a changeset takes beside its payload: names, ids, a position, and two entries of
/// keys alone in local indexes, with a stream id of 1024 bytes and a commit id of 255.
const MAX_OVERHEAD_BYTES: usize = 4 * 1024;

/// The most that it takes once more in each local index that holds all of it.
const MAX_COPY_BYTES: usize = 2 * 1024;

/// What is known of the tables once they were looked at.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) max_changeset_bytes: usize,
    pub(crate) stream_arn: String,
    pub(crate) voids: Voids,
}

/// Looks at both tables.
pub(crate) async fn open(tables: &Tables, sdk: &SdkConfig) -> Result<Opened, OpenError> {
    check_surroundings(sdk).await?;
    let (events, _) = tables.check_both().await?;
    if !tables.has_state().await? {
        return Err(no_state(tables));
    }
    Ok(Opened {
        max_changeset_bytes: max_changeset_bytes(&events),
        stream_arn: events.latest_stream_arn.unwrap_or_default(),
        voids: tables.voids().await?,
    })
}

fn no_state(tables: &Tables) -> OpenError {
    OpenError::Table {
        table: tables.config.analysis_table.clone(),
        at: tables.at(),
        found: format!(
            "no index state, although table `{}` holds changesets",
            tables.config.events_table
        ),
        expected: "the state that belongs to them".to_owned(),
        mend: "Restore both tables together, to one point in time. For a table of the Python \
               original run `ees admin take-over`; to make the state anew from the positions \
               that changesets have, `ees admin rebuild-index`"
            .to_owned(),
    }
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
