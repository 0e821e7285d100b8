//! The port of storages that order after the commit.

use async_trait::async_trait;

use crate::{
    Changeset, ChangesetId, Checkpoint, Page, PageLimit, StorageError, StreamId, Timestamp,
};

/// The operations that the indexer and the contiguous reader need of a storage that stores a
/// changeset first and its position later.
///
/// The storage keeps a position with each changeset, an index over the positions, and the
/// [`IndexState`]. "Consistent" means: the answer shows every write that was acknowledged before
/// the call. Only [`Index::read_index`] may lag.
///
/// An adapter only translates calls; the [`indexer`](crate::indexer) decides the order. Calls may
/// run concurrently, from many processes. They may be dropped at any point, and may be repeated. A
/// dropped call may still take effect, at any later time.
#[async_trait]
pub trait Index: Send + Sync + 'static {
    /// Reads the state, consistent. The state is created together with the storage, as
    /// [`IndexState::default`], or by an explicit act of an operator. No other call creates it.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if there is no state; otherwise if the storage fails.
    async fn load_state(&self) -> Result<IndexState, StorageError>;

    /// Replaces the state durably if its `rev` still is `previous`. Returns whether it did.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The swap may have happened, or may happen later.
    async fn swap_state(&self, previous: u64, next: &IndexState) -> Result<bool, StorageError>;

    /// Looks up the entry of each key, consistent: one answer per key, in the order of the keys. A
    /// call has at most [`MAX_KEYS`] keys. The keys may be read at different times during the call.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn look_up(&self, keys: &[ChangesetKey]) -> Result<Vec<Entry>, StorageError>;

    /// Writes the position of a changeset durably if the changeset exists and has none. Never
    /// creates an item and never changes a position. The write must be as small as possible: the
    /// size limit of a commit guarantees that the position still fits.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The position may have been written, or may be
    /// written later.
    async fn write_position(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<PositionWrite, StorageError>;

    /// Reads changesets of the index from a position on, ascending by position; each has one. The
    /// index may lag: any entry may be missing, even if entries before and after it are present. A
    /// page may end early anywhere. `more` says whether entries may follow; an empty page never
    /// sets it.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn read_index(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, StorageError>;

    /// Fetches the changesets with these keys, consistent: one answer per key, in the order of the
    /// keys; `None` where no changeset exists. A call has at most [`MAX_KEYS`] keys.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn fetch(&self, keys: &[ChangesetKey]) -> Result<Vec<Option<Changeset>>, StorageError>;

    /// The first position, from this one on, that is not void. The void positions are recorded
    /// once, before the first state, and never change. A storage that was not taken over from
    /// another has no void positions, and answers the given position.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn past_void(&self, position: Checkpoint) -> Result<Checkpoint, StorageError>;

    /// Reads a page of the changesets that have no position, in any order. All pages together show
    /// every changeset that was committed ten minutes before the request for the first page and has
    /// no position at the answer of the last page. They may show other changesets too, also some that
    /// have a position. Pages may be empty.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn unindexed(&self, after: Option<&SweepCursor>) -> Result<SweepPage, StorageError>;

    /// The time that any process saved last; `None` if no process ever saved one. The period until
    /// the next sweep begins at this time.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn last_sweep(&self) -> Result<Option<Timestamp>, StorageError>;

    /// Saves durably when a sweep began. The time replaces the previous one. The adapter keeps it
    /// apart from the checkpoints of subscriptions.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The time may have been saved all the same.
    async fn save_sweep(&self, begun: Timestamp) -> Result<(), StorageError>;

    /// Whether counts that the storage keeps say that every changeset has a position. The answer costs
    /// next to nothing. Counts may be hours old, and may agree by chance. A storage that keeps no such
    /// counts answers `false`.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn counts_agree(&self) -> Result<bool, StorageError> {
        Ok(false)
    }
}

/// The largest number of keys in one call.
pub const MAX_KEYS: usize = 100;

/// The key of a changeset. Notifications carry it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChangesetKey {
    /// Its stream.
    pub stream_id: StreamId,
    /// Its number in the stream.
    pub changeset_id: ChangesetId,
}

impl std::fmt::Display for ChangesetKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            stream_id,
            changeset_id,
        } = self;
        write!(f, "changeset {changeset_id} of stream `{stream_id}`")
    }
}

/// The progress of the global order. Indexers compete for it by compare-and-swap.
///
/// Every position below [`IndexState::base`] is written with its changeset, or void. The positions
/// from `base` to [`IndexState::next`], exclusive, are decided: they belong to the intent's
/// members, in order, even if they are not written yet. The positions from `next` on are not
/// assigned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IndexState {
    /// The number of swaps so far.
    pub rev: u64,
    /// The position of the intent's first member.
    pub base: Checkpoint,
    /// The members of the last block that was reserved.
    pub intent: Vec<ChangesetKey>,
}

impl Default for IndexState {
    /// Nothing has a position.
    fn default() -> Self {
        Self {
            rev: 0,
            base: Checkpoint::FIRST,
            intent: Vec::new(),
        }
    }
}

impl IndexState {
    /// The first position that is not decided.
    pub fn next(&self) -> Checkpoint {
        self.base.plus(self.intent.len() as u64)
    }

    /// The intent's members with their positions.
    pub fn members(&self) -> impl Iterator<Item = (&ChangesetKey, Checkpoint)> {
        (0..)
            .zip(&self.intent)
            .map(|(place, key)| (key, self.base.plus(place)))
    }

    /// The state that reserves the next positions for these changesets.
    #[must_use]
    pub fn reserve(&self, intent: Vec<ChangesetKey>) -> Self {
        Self {
            rev: self.rev + 1,
            base: self.next(),
            intent,
        }
    }
}

/// The result of looking up a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entry {
    /// The key has no item.
    Missing,
    /// The item is not a valid changeset; the text says why, for people.
    Malformed(String),
    /// A changeset without a position.
    Unindexed,
    /// A changeset with this position.
    At(Checkpoint),
}

/// The outcome of writing a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PositionWrite {
    /// The position is written.
    Written,
    /// The changeset already had this position.
    AlreadyThere,
    /// The changeset has another position.
    Other(Checkpoint),
    /// The changeset does not exist.
    Missing,
}

/// A page of a sweep: changesets without a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPage {
    /// Their keys, and when they were committed.
    pub found: Vec<(ChangesetKey, Timestamp)>,
    /// How many items of this page were not valid changesets. The adapter logs them.
    pub malformed: usize,
    /// Where the next page begins; `None` at the end.
    pub next: Option<SweepCursor>,
}

/// A cursor of a sweep. Only the adapter interprets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepCursor(pub String);
