//! The port of storages that order after the commit.

use async_trait::async_trait;

use crate::{
    Changeset, ChangesetId, Checkpoint, Page, PageLimit, StorageError, StreamId, Timestamp,
};

/// What the indexer and the contiguous reader need of a storage that stores a changeset first and
/// gives it its position later.
///
/// The storage keeps a position with each changeset, an index over the positions, and the
/// [`IndexState`]. "Consistent" means: the answer shows every write that was acknowledged before
/// the call. Only [`Index::read_index`] may lag.
///
/// An adapter translates; it decides nothing: the order is the [`indexer`](crate::indexer)'s. Calls
/// may run at the same time, from many processes, may be dropped at any point, and may be repeated.
/// A call that is dropped may still happen, at any later time.
#[async_trait]
pub trait Index: Send + Sync + 'static {
    /// The state, consistent. It is created together with the storage, as
    /// [`IndexState::default`], and by an explicit act of an operator; never on the way.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if there is no state; otherwise if the storage fails.
    async fn load_state(&self) -> Result<IndexState, StorageError>;

    /// Replaces the state, durably, if its `rev` still is `previous`, and says whether it did.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails; the swap may have happened, or may happen later.
    async fn swap_state(&self, previous: u64, next: &IndexState) -> Result<bool, StorageError>;

    /// What stands under each key, consistent: one answer for each, in the order of the keys. At
    /// most [`MAX_KEYS`] are asked for. Each key may be read at a time of its own during the call.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn look_up(&self, keys: &[ChangesetKey]) -> Result<Vec<Entry>, StorageError>;

    /// Gives a changeset its position, durably, if it exists and has none. Creates nothing and
    /// never changes a position. The write must be as small as it can be: it was promised, when the
    /// changeset was committed, that it would fit.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails; the position may have been written, or may be
    /// written later.
    async fn write_position(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<PositionWrite, StorageError>;

    /// Changesets of the index from a position on, ascending by position; each has one. It may lag:
    /// any entry may be hidden, whatever stands before and behind it. A page may end early
    /// anywhere; `more` says whether more may stand behind it, and is not said of an empty page.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn read_index(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, StorageError>;

    /// The changesets under these keys, consistent: one answer for each, in the order of the keys;
    /// `None` where nothing stands. At most [`MAX_KEYS`] are asked for.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn fetch(&self, keys: &[ChangesetKey]) -> Result<Vec<Option<Changeset>>, StorageError>;

    /// The first position from this one on that is not void. Which positions are void is recorded
    /// once, before the first state, and never changes; a storage that was not taken over from
    /// another has none, and answers the position asked for.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn past_void(&self, position: Checkpoint) -> Result<Checkpoint, StorageError>;

    /// A page of the changesets that have no position. Following the pages to the end shows, in any
    /// order, every changeset that was committed before the first page was asked for and has no
    /// position when the last one is answered; it may show others as well. Pages may be empty.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn unindexed(&self, after: Option<&SweepCursor>) -> Result<SweepPage, StorageError>;

    /// The time that was saved last, by whichever process; `None` if none ever was. The period until
    /// the next sweep begins at this time.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn last_sweep(&self) -> Result<Option<Timestamp>, StorageError>;

    /// Saves when a sweep began, durably; the last time saved wins. A sweep is no subscription: the
    /// time must not be kept among subscriptions' checkpoints.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails; the time may have been saved then.
    async fn save_sweep(&self, begun: Timestamp) -> Result<(), StorageError>;
}

/// The most keys that one call may ask for.
pub const MAX_KEYS: usize = 100;

/// Where a changeset stands: what a notification of it carries.
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

/// How far the order has come: the one thing that indexers compete for.
///
/// Every position below [`IndexState::base`] is written with its changeset, or void. Those from
/// there to [`IndexState::next`] are decided: they belong to the intent's members, in order, whether
/// written yet or not. Those from `next` on belong to nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IndexState {
    /// Counts the swaps.
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

    /// The state after these changesets were given the next positions.
    #[must_use]
    pub fn reserve(&self, intent: Vec<ChangesetKey>) -> Self {
        Self {
            rev: self.rev + 1,
            base: self.next(),
            intent,
        }
    }
}

/// What stands under a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entry {
    /// Nothing.
    Missing,
    /// Something that is no changeset; says why, for people.
    Malformed(String),
    /// A changeset without a position.
    Unindexed,
    /// A changeset with this position.
    At(Checkpoint),
}

/// What became of a position that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PositionWrite {
    /// It is written.
    Written,
    /// The changeset had this very position already.
    AlreadyThere,
    /// The changeset has another position.
    Other(Checkpoint),
    /// There is no such changeset.
    Missing,
}

/// Changesets that a sweep found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPage {
    /// Their keys, and when they were committed.
    pub found: Vec<(ChangesetKey, Timestamp)>,
    /// How many items stood among them that are no changesets. The adapter logs which.
    pub malformed: usize,
    /// Where to go on; `None` at the end.
    pub next: Option<SweepCursor>,
}

/// A place in a sweep; what it means is the adapter's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepCursor(pub String);
