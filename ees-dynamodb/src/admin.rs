//! What an operator does to the tables, each an explicit act.

mod rebuild;
mod survey;
mod take_over;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use ees_core::adapter::ChangesetKey;
use ees_core::{Checkpoint, StorageError, Written};

use crate::batch::Part;
use crate::error::opening;
use crate::items;
use crate::opening::{built, check_surroundings};
use crate::tables::Tables;
use crate::{DynamoConfig, OpenError, schema};

pub use rebuild::Rebuilt;
pub use survey::{Findings, Survey};

/// How long DynamoDB may take to make a table.
const CREATION: Duration = Duration::from_mins(5);

/// How an act on the index state is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Look and tell, but change nothing.
    pub dry_run: bool,
    /// Put a new state in the place of the one that is there; for [`Admin::rebuild_index`].
    pub replace: bool,
    /// Go on although changesets have a position and others before them in their stream have none.
    pub accept_disorder: bool,
}

/// How far the index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexStatus {
    /// How often positions were reserved.
    pub rev: u64,
    /// The position that the next changeset gets.
    pub next: Checkpoint,
    /// How many of the positions that were reserved last are not written yet.
    pub pending: usize,
    /// How many positions are void.
    pub voids: u64,
}

/// An act was not done.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The tables are not as they have to be.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is an index state.
    #[error(
        "the store has an index state; there is nothing to mend. To make it anew all the same, stop all indexers and run `ees admin rebuild-index --replace`"
    )]
    HasState,
    /// The table is not the original's.
    #[error(
        "the events table has no counter of the Python original (item `!!!RESERVED:GLOBAL-COUNTER!!!`): expected a table that it made. For other tables there is `ees admin rebuild-index`"
    )]
    NoCounter,
    /// Somebody else changes the counter.
    #[error(
        "the Python original's counter moved meanwhile: it is still running. Stop its functions, and run `ees admin take-over` again"
    )]
    StillRuns,
    /// Somebody else changed the state.
    #[error(
        "the index state changed meanwhile: an indexer or another operator is at work. Stop them, and run it again"
    )]
    Raced,
    /// Two changesets have one position.
    #[error("{} changesets have a position that another has too, the first of them {}: somebody wrote positions by hand. Remove `page` and `page_item` from one of each, and run it again", .0.count, told(.0))]
    Twice(Findings<ChangesetKey>),
    /// A stream's order is broken.
    #[error("{} changesets have a position although one before them in their stream has none, the first of them {}. The ones without will come behind them in the global order; to accept that, add `--accept-disorder`", .0.count, told(.0))]
    OutOfOrder(Findings<ChangesetKey>),
    /// There are positions that were never given.
    #[error("a changeset stands at position {}, but the Python original's counter gave only {given} positions: somebody wrote positions by hand. Use `ees admin rebuild-index`", .end - 1)]
    Beyond {
        /// The position behind the last one found.
        end: u64,
        /// How many positions were given.
        given: u64,
    },
}

impl From<StorageError> for AdminError {
    fn from(error: StorageError) -> Self {
        Self::Open(error.into())
    }
}

fn told(findings: &Findings<ChangesetKey>) -> String {
    let first = findings.first.first();
    first.map(ToString::to_string).unwrap_or_default()
}

/// Who is told how many changesets a scan has seen so far.
#[derive(Clone)]
struct Watcher(Arc<dyn Fn(u64) + Send + Sync>);

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}

/// The operator's side of a store in DynamoDB.
#[derive(Debug, Clone)]
pub struct Admin {
    pub(crate) tables: Tables,
    watcher: Option<Watcher>,
}

impl Admin {
    /// The operator of a store. Nothing is asked yet but the credentials.
    ///
    /// # Errors
    /// [`OpenError::NoRegion`] or [`OpenError::NoCredentials`].
    pub async fn new(config: &DynamoConfig, sdk: &SdkConfig) -> Result<Self, OpenError> {
        check_surroundings(sdk).await?;
        let tables = Tables::new(config, sdk);
        Ok(Self {
            tables,
            watcher: None,
        })
    }

    /// Tells how many changesets a scan has seen so far, page by page.
    #[must_use]
    pub fn watched_by(mut self, watcher: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Watcher(Arc::new(watcher)));
        self
    }

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

    /// Tells how far the index has come.
    ///
    /// # Errors
    /// [`OpenError`], also if there is no state.
    pub async fn status(&self) -> Result<IndexStatus, OpenError> {
        self.tables.check_both().await?;
        let state = self.tables.state().await?;
        let members = self.tables.batch(&state.intent, Part::Numbers).await?;
        let written = members.values().map(items::position);
        let written = written.filter(|position| matches!(position, Ok(Some(_))));
        let voids = self.tables.voids().await?;
        Ok(IndexStatus {
            rev: state.rev,
            next: state.next(),
            pending: state.intent.len() - written.count(),
            voids: voids.ranges().map(|(from, to)| to - from + 1).sum(),
        })
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
