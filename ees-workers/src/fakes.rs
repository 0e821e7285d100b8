//! A fake store that orders after the commit, and its feed. The test controls both.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use ees_core::adapter::{
    ChangesetKey, CommitFeed, CommitFeedSource, Committed, DeferredOrder, Entry, Index, IndexState,
    PositionWrite, SweepCursor, SweepPage,
};
use ees_core::{
    Changeset, ChangesetId, Checkpoint, Page, PageLimit, StorageError, StreamId, Timestamp, Written,
};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, mpsc, watch};

/// A store without payloads, and the feed of its commits.
#[derive(Clone)]
pub(crate) struct FakeStore {
    state: Arc<Mutex<State>>,
    counts: watch::Sender<Counts>,
    /// A page of a sweep consumes a permit.
    pub(crate) pages: Arc<Semaphore>,
    tell: mpsc::UnboundedSender<Committed>,
    told: Arc<AsyncMutex<mpsc::UnboundedReceiver<Committed>>>,
}

#[derive(Default)]
struct State {
    positions: BTreeMap<ChangesetKey, Option<Checkpoint>>,
    index: IndexState,
    last_sweep: Option<Timestamp>,
    counts_agree: bool,
    /// The errors that calls return before they succeed.
    failures: BTreeMap<Call, VecDeque<StorageError>>,
}

/// A call that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Open,
    Next,
    Done,
    LoadState,
    Unindexed,
    LastSweep,
    SaveSweep,
    CountsAgree,
}

/// The numbers of successful calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) done: u32,
    pub(crate) closed: u32,
    /// Sweeps that requested their first page.
    pub(crate) sweeps_begun: u32,
    pub(crate) sweeps_saved: u32,
    pub(crate) compared: u32,
}

pub(crate) fn unavailable() -> StorageError {
    StorageError::unavailable("the test injected this failure", Written::None)
}

pub(crate) fn key(stream: &str, changeset: u64) -> ChangesetKey {
    ChangesetKey {
        stream_id: StreamId::new(stream).unwrap(),
        changeset_id: ChangesetId::new(changeset).unwrap(),
    }
}

impl FakeStore {
    pub(crate) fn new() -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        Self {
            state: Arc::default(),
            counts: watch::channel(Counts::default()).0,
            pages: Arc::new(Semaphore::new(0)),
            tell,
            told: Arc::new(AsyncMutex::new(told)),
        }
    }

    pub(crate) fn order(&self) -> DeferredOrder {
        DeferredOrder {
            index: Arc::new(self.clone()),
            feeds: Arc::new(self.clone()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn commit(&self, key: &ChangesetKey) {
        self.state().positions.insert(key.clone(), None);
    }

    pub(crate) fn position(&self, key: &ChangesetKey) -> Option<u64> {
        let position = self.state().positions.get(key).copied().flatten();
        position.map(Checkpoint::get)
    }

    /// Lets the feed deliver keys, and report a gap.
    pub(crate) fn tell(&self, keys: &[ChangesetKey], gap: bool) {
        let committed = Committed {
            keys: keys.to_vec(),
            gap,
            ..Committed::default()
        };
        self.tell_of(committed);
    }

    pub(crate) fn tell_of(&self, committed: Committed) {
        self.tell.send(committed).unwrap();
    }

    /// Lets calls fail with these errors, one after another, before one succeeds.
    pub(crate) fn fail(&self, call: Call, errors: impl IntoIterator<Item = StorageError>) {
        let errors = errors.into_iter().collect();
        self.state().failures.insert(call, errors);
    }

    pub(crate) fn failures_left(&self) -> usize {
        self.state().failures.values().map(VecDeque::len).sum()
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Waits until the counts of successful calls fulfil a condition.
    pub(crate) async fn wait_for(&self, reached: impl FnMut(&Counts) -> bool) {
        let mut counts = self.counts.subscribe();
        counts.wait_for(reached).await.unwrap();
    }

    pub(crate) fn let_counts_agree(&self, agree: bool) {
        self.state().counts_agree = agree;
    }

    fn check(&self, call: Call) -> Result<(), StorageError> {
        let mut state = self.state();
        let failure = state.failures.get_mut(&call).and_then(VecDeque::pop_front);
        failure.map_or(Ok(()), Err)
    }
}

#[async_trait]
impl CommitFeedSource for FakeStore {
    async fn open(&self) -> Result<Box<dyn CommitFeed>, StorageError> {
        self.check(Call::Open)?;
        Ok(Box::new(FakeFeed(self.clone())))
    }
}

struct FakeFeed(FakeStore);

#[async_trait]
impl CommitFeed for FakeFeed {
    async fn next(&mut self) -> Result<Committed, StorageError> {
        self.0.check(Call::Next)?;
        let told = self.0.told.lock().await.recv().await;
        Ok(told.unwrap())
    }

    async fn done(&mut self) -> Result<(), StorageError> {
        self.0.check(Call::Done)?;
        self.0.counts.send_modify(|counts| counts.done += 1);
        Ok(())
    }

    fn close_gap(&mut self) {
        self.0.counts.send_modify(|counts| counts.closed += 1);
    }
}

#[async_trait]
impl Index for FakeStore {
    async fn load_state(&self) -> Result<IndexState, StorageError> {
        self.check(Call::LoadState)?;
        Ok(self.state().index.clone())
    }

    async fn swap_state(&self, previous: u64, next: &IndexState) -> Result<bool, StorageError> {
        let mut state = self.state();
        let won = state.index.rev == previous;
        if won {
            state.index = next.clone();
        }
        Ok(won)
    }

    async fn look_up(&self, keys: &[ChangesetKey]) -> Result<Vec<Entry>, StorageError> {
        let state = self.state();
        let entries = keys.iter().map(|key| match state.positions.get(key) {
            None => Entry::Missing,
            Some(position) => position.map_or(Entry::Unindexed, Entry::At),
        });
        Ok(entries.collect())
    }

    async fn write_position(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<PositionWrite, StorageError> {
        let mut state = self.state();
        let Some(stored) = state.positions.get_mut(key) else {
            return Ok(PositionWrite::Missing);
        };
        Ok(match *stored {
            Some(found) if found == position => PositionWrite::AlreadyThere,
            Some(found) => PositionWrite::Other(found),
            None => {
                *stored = Some(position);
                PositionWrite::Written
            }
        })
    }

    async fn read_index(
        &self,
        _: Checkpoint,
        _: PageLimit,
    ) -> Result<Page<Changeset>, StorageError> {
        panic!("no worker reads the order through the index")
    }

    async fn fetch(&self, _: &[ChangesetKey]) -> Result<Vec<Option<Changeset>>, StorageError> {
        panic!("no worker reads changesets through the index")
    }

    async fn past_void(&self, position: Checkpoint) -> Result<Checkpoint, StorageError> {
        Ok(position)
    }

    /// One changeset a page. The cursor is the number of keys seen.
    async fn unindexed(&self, after: Option<&SweepCursor>) -> Result<SweepPage, StorageError> {
        if after.is_none() {
            self.counts.send_modify(|counts| counts.sweeps_begun += 1);
        }
        self.pages.acquire().await.unwrap().forget();
        self.check(Call::Unindexed)?;
        let seen = after.map_or(0, |cursor| cursor.0.parse().unwrap());
        let state = self.state();
        let one = state.positions.iter().nth(seen);
        let unindexed = one.filter(|(_, position)| position.is_none());
        let found = unindexed.map(|(key, _)| (key.clone(), Timestamp::now()));
        Ok(SweepPage {
            found: found.into_iter().collect(),
            malformed: 0,
            next: (seen + 1 < state.positions.len()).then(|| SweepCursor((seen + 1).to_string())),
        })
    }

    async fn last_sweep(&self) -> Result<Option<Timestamp>, StorageError> {
        self.check(Call::LastSweep)?;
        Ok(self.state().last_sweep)
    }

    async fn save_sweep(&self, begun: Timestamp) -> Result<(), StorageError> {
        self.check(Call::SaveSweep)?;
        self.state().last_sweep = Some(begun);
        self.counts.send_modify(|counts| counts.sweeps_saved += 1);
        Ok(())
    }

    async fn counts_agree(&self) -> Result<bool, StorageError> {
        self.check(Call::CountsAgree)?;
        let agree = self.state().counts_agree;
        self.counts.send_modify(|counts| counts.compared += 1);
        Ok(agree)
    }
}
