//! The port that writes a copy of another store's order.

use async_trait::async_trait;

use crate::{Checkpoint, GlobalPage, StorageError};

/// Writes changesets that another store has ordered: with its ids, times, commit ids and checkpoints
/// (G14).
///
/// An importer calls [`begin_import`](Import::begin_import), then [`import`](Import::import) for each
/// page, and [`finish_import`](Import::finish_import) at the end. After a failure it begins again: the
/// import goes on where it was.
#[async_trait]
pub trait Import: Send + Sync + 'static {
    /// Prepares the store for an import, and returns where it goes on: the end of its global order. A
    /// storage that orders after the commit accepts no commits from now on, until the import is
    /// finished.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails, or has changesets without a position. The call may be
    /// repeated.
    async fn begin_import(&self) -> Result<Checkpoint, StorageError>;

    /// Appends a page at exactly `from`, if the global order ends there. All of its changesets are
    /// durable when it returns.
    ///
    /// Each changeset keeps every field, also its checkpoint. Checkpoints ascend; a position between
    /// `from` and [`GlobalPage::next`] without a changeset becomes void: readers pass it. The last
    /// position of a page has a changeset. A page has at most 1000 changesets and
    /// [`MAX_PAGE_BYTES`](crate::MAX_PAGE_BYTES), or one changeset. The first changeset of a stream has
    /// the ids 1, and each other one follows the one before it in its stream
    /// ([`check_import`](crate::adapter::check_import)).
    ///
    /// Calls do not run concurrently. A call that is repeated after an error appends what is missing.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if the storage fails. Any part of the page that is a beginning of
    /// it may be stored; on a storage that orders at the commit, all or nothing.
    async fn import(
        &self,
        from: Checkpoint,
        page: &GlobalPage,
    ) -> Result<ImportOutcome, StorageError>;

    /// Ends the import: the store accepts commits again, and their checkpoints follow those of the
    /// imported changesets. Harmless without an import.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The call may be repeated.
    async fn finish_import(&self) -> Result<(), StorageError>;

    /// The names of subscriptions with a saved checkpoint, in ascending order of their bytes: those
    /// after `after`, at most 1000.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn subscriptions(&self, after: &str) -> Result<Vec<String>, StorageError>;
}

/// The outcome of importing a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportOutcome {
    /// The page is stored.
    Imported,
    /// The global order ends at another checkpoint. Nothing was stored.
    EndsAt(Checkpoint),
    /// A changeset does not follow the one before it in its stream. Nothing was stored. The text says
    /// which, for people.
    Refused(String),
}
