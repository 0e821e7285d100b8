//! The tasks of an operator. Each is started explicitly.

mod create_tables;
mod error;
mod index_status;
mod rebuild_index;
mod rebuild_keys;
mod survey;
mod take_over;

use std::fmt;
use std::sync::Arc;

use aws_config::SdkConfig;

use crate::opening::check_surroundings;
use crate::stored_state::StoredState;
use crate::tables::{Recognised, Tables};
use crate::{DynamoConfig, IndexPageSize, OpenError};

pub use error::AdminError;
pub use index_status::IndexStatus;
pub use rebuild_index::Rebuilt;
pub use rebuild_keys::RebuiltKeys;
pub use survey::{Findings, Survey};

/// The options of the tasks that write the index state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Report the result without a change.
    pub dry_run: bool,
    /// Replace an existing index state. Used by [`Admin::rebuild_index`].
    pub replace: bool,
    /// Accept changesets that have a position while an earlier changeset of their stream has none.
    pub accept_disorder: bool,
    /// The positions in a page of the global index, if the state that has it was lost. `None` is the
    /// size of new tables, or 1000 where the index holds whole changesets. Used by
    /// [`Admin::rebuild_index`].
    pub index_page: Option<IndexPageSize>,
}

/// The callback for the progress of a scan.
#[derive(Clone)]
struct Watcher(Arc<dyn Fn(u64) + Send + Sync>);

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}

/// The tasks of an operator of a store in DynamoDB.
#[derive(Debug, Clone)]
pub struct Admin {
    pub(crate) tables: Tables,
    watcher: Option<Watcher>,
}

impl Admin {
    /// Checks that a region and credentials are configured. It sends no request to DynamoDB.
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

    /// Checks both tables. Returns the same tasks with the layout of the tables, and the index state.
    async fn recognised(&self) -> Result<(Self, Option<StoredState>), OpenError> {
        let Recognised { tables, state, .. } = self.tables.recognise().await?;
        let watcher = self.watcher.clone();
        Ok((Self { tables, watcher }, state))
    }

    /// Calls `watcher` after each page of a scan, with the number of changesets so far.
    #[must_use]
    pub fn watched_by(mut self, watcher: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Watcher(Arc::new(watcher)));
        self
    }
}
