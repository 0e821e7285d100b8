//! What an operator does to the tables, each an explicit act.

mod create_tables;
mod error;
mod index_status;
mod rebuild_index;
mod survey;
mod take_over;

use std::fmt;
use std::sync::Arc;

use aws_config::SdkConfig;

use crate::opening::check_surroundings;
use crate::tables::Tables;
use crate::{DynamoConfig, OpenError};

pub use error::AdminError;
pub use index_status::IndexStatus;
pub use rebuild_index::Rebuilt;
pub use survey::{Findings, Survey};

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
}
