//! The port that tells an indexer what was committed.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::StorageError;

use super::{ChangesetKey, Index};

/// Tells one reader which changesets were committed, whichever process committed them.
///
/// The reader calls [`next`](CommitFeed::next), handles what it was told, then calls
/// [`done`](CommitFeed::done), and so on. The feed saves how far its reader came, and the feed that
/// is opened next goes on there, in whichever process. So every commit is told at least once, or a
/// gap is.
#[async_trait]
pub trait CommitFeed: Send + 'static {
    /// What was committed since the last call.
    ///
    /// It waits for commits, but returns after a few seconds at most, with nothing if nothing was
    /// committed: the reader gets to call the other methods. One feed tells a commit once: a reader
    /// that cannot handle it yet has to keep it. A call that is dropped loses nothing.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. Nothing is lost: the next call tries again.
    async fn next(&mut self) -> Result<Committed, StorageError>;

    /// Says that the reader has handled all that was told so far.
    ///
    /// The feed saves its position, unless a gap is open. It may save only every few seconds: what
    /// it had not saved is told again by the feed that is opened next.
    ///
    /// # Errors
    /// [`StorageError`] if the position could not be saved. A later call saves it.
    async fn done(&mut self) -> Result<(), StorageError>;

    /// Closes the gap: a sweep has ended that began after every [`Committed::gap`] told so far.
    ///
    /// A gap that the feed has found and not told yet stays open. While a gap is open the feed saves
    /// no position, so that the feed that is opened next tells of the gap again.
    fn close_gap(&mut self);
}

/// What a [`CommitFeed`] told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// Changesets that were committed, in no particular order.
    pub keys: Vec<ChangesetKey>,
    /// Whether the feed may have lost commits that it never told. A sweep finds them.
    pub gap: bool,
}

/// Opens the feeds of a storage.
#[async_trait]
pub trait CommitFeedSource: Send + Sync + 'static {
    /// Opens a feed where the reader of an earlier one came to, in whichever process. If no position
    /// was saved, the feed begins with the oldest commit that the storage still tells of, and tells
    /// of a gap.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The call may be repeated.
    async fn open(&self) -> Result<Box<dyn CommitFeed>, StorageError>;
}

/// What an indexer needs of a storage that orders after the commit.
#[derive(Clone)]
pub struct DeferredOrder {
    /// Where positions are given.
    pub index: Arc<dyn Index>,
    /// What tells which changesets need one.
    pub feeds: Arc<dyn CommitFeedSource>,
}

impl fmt::Debug for DeferredOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredOrder").finish_non_exhaustive()
    }
}
