//! Checks the tables before a store is opened.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::ProvideCredentials;
use aws_sdk_dynamodb::types::{ProjectionType, TableDescription};

use ees_core::{MAX_SET_CHECKS, MAX_SET_COMMITS, SET_SIZE_FACTOR};

use crate::OpenError;
use crate::stored_state::StoredState;
use crate::tables::{Recognised, Tables};
use crate::voids::Voids;

/// The maximum size of an item in bytes, including its entries in local indexes.
const MAX_ITEM_BYTES: usize = 400 * 1024;

/// The maximum size in bytes of a changeset without its payload: attribute names, ids, a position,
/// the mark of a set, and two entries in local indexes of keys only, with a stream id of 1024 bytes
/// and a commit id of 255 bytes.
const MAX_OVERHEAD_BYTES: usize = 4 * 1024;

/// The maximum size in bytes, without the payload, of an entry in a local index that projects all
/// attributes.
const MAX_COPY_BYTES: usize = 2 * 1024;

/// The maximum size in bytes of the items of a transaction.
const MAX_TRANSACTION_BYTES: usize = 4 * 1024 * 1024;

/// The maximum size in bytes of a marker, and of the key that a check names.
const MAX_SMALL_BYTES: usize = 2 * 1024;

// The largest set has room in a transaction, so DynamoDB refuses none for its size.
const _: () = {
    let payloads = SET_SIZE_FACTOR * MAX_ITEM_BYTES;
    let overheads = MAX_SET_COMMITS * (MAX_OVERHEAD_BYTES + MAX_SMALL_BYTES);
    let checks = MAX_SET_CHECKS * MAX_SMALL_BYTES;
    assert!(payloads + overheads + checks < MAX_TRANSACTION_BYTES);
    assert!(2 * MAX_SET_COMMITS + MAX_SET_CHECKS <= 100);
};

/// What a store needs to know about its tables.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The tables with their layout.
    pub(crate) tables: Tables,
    pub(crate) max_changeset_bytes: usize,
    pub(crate) stream_arn: String,
    /// The id that DynamoDB gave to the events table. A restored table has another one.
    pub(crate) table_id: Option<String>,
    pub(crate) voids: Voids,
    /// The index state; `None` if the store was empty.
    pub(crate) state: Option<StoredState>,
}

/// Checks both tables and the index state.
pub(crate) async fn open(tables: &Tables, sdk: &SdkConfig) -> Result<Opened, OpenError> {
    check_surroundings(sdk).await?;
    let Recognised {
        tables,
        events,
        state,
    } = tables.recognise().await?;
    let Some(tables) = tables.with_state(None).await? else {
        return Err(no_state(&tables));
    };
    Ok(Opened {
        max_changeset_bytes: max_changeset_bytes(&events),
        table_id: events.table_id.clone(),
        stream_arn: events.latest_stream_arn.unwrap_or_default(),
        voids: tables.voids().await?,
        state,
        tables,
    })
}

fn no_state(tables: &Tables) -> OpenError {
    OpenError::Table {
        table: tables.config.analysis_table.clone(),
        at: tables.at(),
        found: format!(
            "no index state, although table `{}` contains changesets",
            tables.config.events_table
        ),
        expected: "the index state of these changesets".to_owned(),
        mend: "Restore both tables together, to one point in time. For a table of the Python \
               original, run `ees admin take-over`. To rebuild the state from the positions \
               of the changesets, run `ees admin rebuild-index`"
            .to_owned(),
    }
}

/// Checks that a region and credentials are configured, before a request is sent to DynamoDB.
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

/// The maximum payload of a changeset in bytes. It leaves room in the item for the entries in local
/// indexes, and for the position that is added later.
fn max_changeset_bytes(events: &TableDescription) -> usize {
    let holds_all = |of: Option<&ProjectionType>| of != Some(&ProjectionType::KeysOnly);
    let indexes = events.local_secondary_indexes().iter();
    let held = indexes.map(|index| index.projection().and_then(|held| held.projection_type()));
    let copies = held.filter(|of| holds_all(*of)).count();
    (MAX_ITEM_BYTES - MAX_OVERHEAD_BYTES - copies * MAX_COPY_BYTES) / (1 + copies)
}
