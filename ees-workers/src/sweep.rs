//! One sweep, page by page.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ees_core::adapter::{Index, SweepCursor};
use ees_core::indexer::{Indexer, IndexingError, Swept};
use ees_core::{StorageError, Timestamp};

/// How long scheduled sweeps may be left out. Counts that agree by chance hide a changeset no longer than
/// this.
const LEFT_OUT_AT_MOST: Duration = Duration::from_hours(28 * 24);

/// A scan of a whole store that assigns a position to every changeset that has none.
///
/// It finds changesets whose notification was lost. It costs a read of the whole store, even if it
/// finds nothing. Any number of sweeps may run at the same time, together with any number of
/// [`Indexing`](crate::Indexing) workers. A sweep may be abandoned after any page.
pub struct Sweep {
    indexer: Indexer,
    at: At,
}

/// The progress of the sweep.
#[derive(Debug)]
enum At {
    Start,
    After(SweepCursor),
    End,
}

impl Sweep {
    /// A sweep that begins at the start of a store.
    pub fn new(index: Arc<dyn Index>) -> Self {
        Self::resume(index, None)
    }

    /// A sweep that continues after a page of an earlier one, at its [`Swept::next`]. `None` begins
    /// at the start.
    pub fn resume(index: Arc<dyn Index>, after: Option<SweepCursor>) -> Self {
        Self {
            indexer: Indexer::new(index),
            at: after.map_or(At::Start, At::After),
        }
    }

    /// Whether a scheduled sweep may be left out, since it would find nothing: the storage's counts agree,
    /// and the last sweep of any process began less than 28 days ago.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    pub async fn is_needless(index: &dyn Index) -> Result<bool, StorageError> {
        let Some(last) = index.last_sweep().await? else {
            return Ok(false);
        };
        if passed_since(last) >= LEFT_OUT_AT_MOST || !index.counts_agree().await? {
            return Ok(false);
        }
        tracing::info!("table and index have equally many items: no sweep is needed");
        Ok(true)
    }

    /// Indexes the next page. Returns `None` after the last one. The next call repeats a dropped
    /// one.
    ///
    /// # Errors
    /// [`IndexingError`] if the storage fails, or holds contradictory data. The next call retries
    /// the same page.
    pub async fn next_page(&mut self) -> Result<Option<Swept>, IndexingError> {
        let after = match &self.at {
            At::Start => None,
            At::After(cursor) => Some(cursor),
            At::End => return Ok(None),
        };
        let page = self.indexer.sweep_page(after).await?;
        self.at = page.next.clone().map_or(At::End, At::After);
        Ok(Some(page))
    }
}

/// The time that has passed since then. A time in the future is the error of a clock. It counts as now.
pub(crate) fn passed_since(begun: Timestamp) -> Duration {
    let passed = Timestamp::now()
        .as_micros()
        .saturating_sub(begun.as_micros());
    Duration::from_micros(u64::try_from(passed).unwrap_or(0))
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
