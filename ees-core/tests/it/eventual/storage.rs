//! A storage that orders after the commit: the reference for such adapters.
//!
//! It commits at once, in memory, without a position. An indexer over the same storage assigns the
//! position later. The index shows the position later still: each entry is hidden from some reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use ees_core::adapter::{
    ChangesetKey, Commit, CommitSet, Index, IndexState, News, Outcome, SetOutcome, StatisticsStore,
    Storage,
};
use ees_core::indexer::read_global;
use ees_core::{
    Changeset, Checkpoint, CheckpointStore, GlobalPage, Head, Identity, Page, PageLimit,
    Statistics, StorageError, StreamId, StreamQuery, Timestamp,
};
use ees_memory::MemoryStorage;
use futures_util::future::BoxFuture;

/// A storage that orders after the commit.
#[derive(Debug)]
pub(crate) struct EventualStorage {
    /// Stores the changesets. Its own order is not used here.
    pub(super) memory: MemoryStorage,
    ordered: Mutex<Ordered>,
    news: News,
    /// The largest number of reads that an entry of the index is hidden from.
    lag: u64,
    /// Whether anyone has ever waited for news.
    waited_for: AtomicBool,
}

/// The positions and the index that the indexer writes.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    pub(super) state: IndexState,
    pub(super) positions: BTreeMap<ChangesetKey, Checkpoint>,
    pub(super) index: BTreeMap<Checkpoint, Indexed>,
    pub(super) last_sweep: Option<Timestamp>,
    notifications: Vec<ChangesetKey>,
}

/// An entry of the index.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) key: ChangesetKey,
    /// The number of reads that it is still hidden from.
    pub(super) hidden: u64,
}

impl EventualStorage {
    pub(crate) const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

    pub(crate) fn with_lag(lag: u64) -> Self {
        Self {
            memory: MemoryStorage::with_max_changeset_bytes(Self::MAX_CHANGESET_BYTES),
            ordered: Mutex::default(),
            news: News::default(),
            lag,
            waited_for: AtomicBool::new(false),
        }
    }

    /// Whether anyone has ever waited for news.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waited_for.load(Ordering::Relaxed)
    }

    /// The keys committed since the last call.
    pub(crate) fn notifications(&self) -> Vec<ChangesetKey> {
        std::mem::take(&mut self.ordered().notifications)
    }

    /// Wakes waiting readers after a position was assigned.
    pub(crate) fn announce(&self) {
        self.news.announce();
    }

    /// Makes the index show every entry.
    pub(crate) fn catch_up(&self) {
        let mut ordered = self.ordered();
        ordered
            .index
            .values_mut()
            .for_each(|entry| entry.hidden = 0);
        drop(ordered);
        self.announce();
    }

    pub(super) fn ordered(&self) -> MutexGuard<'_, Ordered> {
        self.ordered.lock().unwrap()
    }

    /// Adds a position to the index, which shows it later.
    pub(super) fn show(&self, ordered: &mut Ordered, key: &ChangesetKey, position: Checkpoint) {
        let key = key.clone();
        let hidden = position.get().wrapping_mul(7) % (self.lag + 1);
        ordered.index.insert(position, Indexed { key, hidden });
    }

    /// The changeset with the position that the indexer assigned.
    pub(super) fn ordered_as(ordered: &Ordered, mut changeset: Changeset) -> Changeset {
        changeset.checkpoint = ordered.positions.get(&key_of(&changeset)).copied();
        changeset
    }
}

pub(super) fn key_of(changeset: &Changeset) -> ChangesetKey {
    ChangesetKey {
        stream_id: changeset.stream_id.clone(),
        changeset_id: changeset.changeset_id,
    }
}

#[async_trait]
impl Storage for EventualStorage {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = self.commit_set(&CommitSet::of_one(commit.clone())).await?;
        outcome.into_single()
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        let outcome = self.memory.commit_set(set).await?;
        let SetOutcome::Committed(mut receipts) = outcome else {
            return Ok(outcome);
        };
        for receipt in &mut receipts {
            receipt.checkpoint = None;
            self.ordered().notifications.push(ChangesetKey {
                stream_id: receipt.stream_id.clone(),
                changeset_id: receipt.changeset_id,
            });
        }
        Ok(SetOutcome::Committed(receipts))
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        self.memory.head(stream_id).await
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        let page = self.memory.read_stream(query).await?;
        let ordered = self.ordered();
        let items = page.items.into_iter();
        Ok(Page {
            items: items.map(|c| Self::ordered_as(&ordered, c)).collect(),
            more: page.more,
        })
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        read_global(self, from, limit).await
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        Ok(self.load_state().await?.next())
    }

    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.memory.load_identity().await
    }

    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        self.memory.swap_identity(previous, next).await
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.waited_for.store(true, Ordering::Relaxed);
        self.news.listen()
    }

    fn max_changeset_bytes(&self) -> usize {
        self.memory.max_changeset_bytes()
    }

    async fn close(&self) {
        self.memory.close().await;
    }
}

#[async_trait]
impl StatisticsStore for EventualStorage {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        self.memory.load_statistics().await
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        self.memory.swap_statistics(previous, statistics).await
    }
}

#[async_trait]
impl CheckpointStore for EventualStorage {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        self.memory.load_checkpoint(subscription).await
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        self.memory.save_checkpoint(subscription, checkpoint).await
    }
}
