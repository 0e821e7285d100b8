//! The port that notifies an indexer of commits.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{StorageError, Timestamp};

use super::{ChangesetKey, Index};

/// Delivers to one reader the keys of the changesets that any process has committed.
///
/// The reader calls [`next`](CommitFeed::next), handles the delivered keys, calls
/// [`done`](CommitFeed::done), and repeats. The feed saves the position of its reader. The next
/// feed to be opened, in any process, continues at that position. So each commit is delivered at
/// least once, or the feed reports a gap.
#[async_trait]
pub trait CommitFeed: Send + 'static {
    /// The commits since the last call.
    ///
    /// It waits for commits, but for a few seconds at most, so that the reader can call the other
    /// methods. It returns no keys if nothing was committed. One feed delivers a commit once: a
    /// reader that cannot handle it yet has to keep it. A dropped call loses nothing.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. Nothing is lost: the next call tries again.
    async fn next(&mut self) -> Result<Committed, StorageError>;

    /// Acknowledges all commits delivered so far: the reader has handled them.
    ///
    /// The feed saves its position, unless a gap is open. It may save only every few seconds. The
    /// next feed to be opened delivers again the commits after the saved position.
    ///
    /// # Errors
    /// [`StorageError`] if the position could not be saved. A later call saves it.
    async fn done(&mut self) -> Result<(), StorageError>;

    /// Closes the gap. The reader calls this after a sweep that began after every
    /// [`Committed::gap`] reported so far.
    ///
    /// A gap that the feed has found but not yet reported stays open. While a gap is open the feed
    /// saves no position, so that the next feed to be opened reports the gap again.
    fn close_gap(&mut self);
}

/// What a [`CommitFeed`] delivers in one call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// Changesets that were committed, in no particular order.
    pub keys: Vec<ChangesetKey>,
    /// When the oldest of them was committed, if the feed knows that of one of them. It is measured.
    pub oldest: Option<Timestamp>,
    /// Whether the feed may have lost commits that it never delivered. A sweep finds them.
    pub gap: bool,
}

/// Opens the feeds of a storage.
#[async_trait]
pub trait CommitFeedSource: Send + Sync + 'static {
    /// Opens a feed at the position that an earlier feed, of any process, has saved. Without a
    /// saved position the feed begins with the oldest commit that the storage can still deliver,
    /// and reports a gap.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The call may be repeated.
    async fn open(&self) -> Result<Box<dyn CommitFeed>, StorageError>;
}

/// The ports that an indexer needs of a storage that orders after the commit.
#[derive(Clone)]
pub struct DeferredOrder {
    /// The index that stores the positions.
    pub index: Arc<dyn Index>,
    /// The source of the feeds that notify of changesets without a position.
    pub feeds: Arc<dyn CommitFeedSource>,
}

impl fmt::Debug for DeferredOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredOrder").finish_non_exhaustive()
    }
}
