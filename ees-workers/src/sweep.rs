//! One sweep, page by page.

use std::fmt;
use std::sync::Arc;

use ees_core::adapter::{Index, SweepCursor};
use ees_core::indexer::{Indexer, IndexingError, Swept};

/// A walk through a whole store that gives every changeset it finds without a position the next one.
///
/// It finds what no notification told of. It costs a read of the whole store, whatever it finds. Any
/// number of sweeps may run at once, beside any number of [`Indexing`](crate::Indexing) workers, and
/// it may be abandoned after any page.
pub struct Sweep {
    indexer: Indexer,
    at: At,
}

/// How far it has come.
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

    /// A sweep that goes on after a page that an earlier one had done: after [`Swept::next`] of it.
    /// `None` begins at the start.
    pub fn resume(index: Arc<dyn Index>, after: Option<SweepCursor>) -> Self {
        Self {
            indexer: Indexer::new(index),
            at: after.map_or(At::Start, At::After),
        }
    }

    /// Does the next page; `None` after the last one. A call that is dropped is repeated by the next
    /// call.
    ///
    /// # Errors
    /// [`IndexingError`] if the storage fails, or holds what it never should. The next call tries
    /// the same page again.
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

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
