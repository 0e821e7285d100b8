//! Keeps the statistics up to date.

use std::fmt;
use std::sync::Arc;

use crate::ports::{StatisticsStore, Storage};
use crate::{EventStore, PageLimit, Statistics, StorageError};

/// The number of changesets counted between two saves.
const PAGE_ITEMS: usize = 1000;

/// Counts the changesets that were committed since its last run, page by page.
///
/// Each page is saved by compare-and-swap. So a restarted projector continues from its last save,
/// and several concurrent projectors never count a changeset twice (G13).
#[derive(Clone)]
pub struct Projector {
    storage: Arc<dyn Storage>,
    statistics: Arc<dyn StatisticsStore>,
}

impl Projector {
    /// The projector of a store.
    pub fn new(store: &EventStore) -> Self {
        Self {
            storage: Arc::clone(store.storage()),
            statistics: Arc::clone(store.statistics_store()),
        }
    }

    /// Counts all changesets up to the head at its start, and returns the counts. The next call
    /// counts later ones, so the call ends even under continuous commits.
    ///
    /// # Errors
    /// [`StorageError`] if a storage fails; what was counted so far is saved.
    pub async fn catch_up(&self) -> Result<Statistics, StorageError> {
        let mut counted = self.statistics.load_statistics().await?;
        let end = self.storage.next_checkpoint().await?;
        while counted.version < end {
            let from = counted.version;
            let page = self
                .storage
                .read_global(from, PageLimit::items(PAGE_ITEMS))
                .await?;
            if page.next == from {
                break;
            }
            let next = counted.after(&page);
            counted = if self.statistics.swap_statistics(from, &next).await? {
                next
            } else {
                self.statistics.load_statistics().await?
            };
        }
        Ok(counted)
    }
}

impl fmt::Debug for Projector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projector").finish_non_exhaustive()
    }
}
