//! The errors of an operator's tasks.

use ees_core::StorageError;
use ees_core::adapter::ChangesetKey;

use super::survey::Findings;
use crate::OpenError;

/// A task failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The tables cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store already has an index state.
    #[error(
        "the store already has an index state, so nothing has to be repaired. To rebuild it anyway, stop all indexers and run `ees admin rebuild-index --replace`"
    )]
    HasState,
    /// An import has begun, and was not finished.
    #[error(
        "an import into the store has begun and was not finished. Repeat it, or end it with `ees import --abandon`"
    )]
    Importing,
    /// The pages of the global index have another size than assumed.
    #[error(
        "a page of the global index has {found} positions, but {assumed} were assumed: the index state, which has their number, was lost. Run the command again with `--index-page` and the number with which the table was created"
    )]
    PageSize {
        /// The largest number of positions that a page is known to have.
        found: u64,
        /// The number that was assumed or given.
        assumed: u64,
    },
    /// The Python original did not create the table.
    #[error(
        "the events table has no counter of the Python original (item `!!!RESERVED:GLOBAL-COUNTER!!!`): expected a table that it created. For other tables, run `ees admin rebuild-index`"
    )]
    NoCounter,
    /// The Python original still changes its counter.
    #[error(
        "the Python original's counter changed in the meantime: the original is still running. Stop its functions, and run `ees admin take-over` again"
    )]
    StillRuns,
    /// Another process changed the index state.
    #[error(
        "the index state changed in the meantime: an indexer or another operator is running. Stop it, and run the command again"
    )]
    Raced,
    /// Two changesets have the same position.
    #[error("{} changesets have the position of another changeset, the first of them {}: somebody wrote positions by hand. Remove `page` and `page_item` from one of each pair, and run the command again", .0.count, told(.0))]
    Twice(Findings<ChangesetKey>),
    /// The positions of a stream are not in order.
    #[error("{} changesets have a position although an earlier changeset of their stream has none, the first of them {}. The changesets without a position will follow them in the global order. To accept that, add `--accept-disorder`", .0.count, told(.0))]
    OutOfOrder(Findings<ChangesetKey>),
    /// Changesets have positions that the counter never assigned.
    #[error("a changeset has position {}, but the Python original's counter assigned only {given} positions: somebody wrote positions by hand. Use `ees admin rebuild-index`", .end - 1)]
    Beyond {
        /// The position after the highest one found.
        end: u64,
        /// The number of positions that the counter assigned.
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
