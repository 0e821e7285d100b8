//! Why an act was not done.

use ees_core::StorageError;
use ees_core::adapter::ChangesetKey;

use super::survey::Findings;
use crate::OpenError;

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
