#![doc = include_str!("../README.md")]

mod consumers;
mod fence;
mod import;
mod log;
mod state;
mod stored_consumers;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ees_core::adapter::{
    Commit, CommitSet, DEFAULT_MAX_CHANGESET_BYTES, News, Outcome, SetOutcome, StatisticsStore,
    Storage,
};
use ees_core::{
    Changeset, Checkpoint, CheckpointStore, GlobalPage, Head, Identity, Page, PageLimit,
    Statistics, StorageError, StreamId, StreamQuery,
};
use futures_util::future::BoxFuture;
use state::State;

/// A store in memory. It is lost when the process ends.
#[derive(Debug)]
pub struct MemoryStorage {
    state: Mutex<Option<State>>,
    news: News,
    max_changeset_bytes: usize,
}

impl MemoryStorage {
    /// The default of the maximum size of a changeset: 16 MiB of events and metadata.
    pub const MAX_CHANGESET_BYTES: usize = DEFAULT_MAX_CHANGESET_BYTES;

    /// An empty store with the default limit.
    pub fn new() -> Self {
        Self::with_max_changeset_bytes(Self::MAX_CHANGESET_BYTES)
    }

    /// An empty store with another maximum size of a changeset, in bytes of events and metadata.
    pub fn with_max_changeset_bytes(max_changeset_bytes: usize) -> Self {
        Self {
            state: Mutex::new(Some(State::default())),
            news: News::default(),
            max_changeset_bytes,
        }
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, StorageError> {
        let mut state = self.lock();
        Ok(act(state.as_mut().ok_or_else(StorageError::closed)?))
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        // A panic elsewhere does not invalidate the state, since every step leaves it consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = self.commit_set(&CommitSet::of_one(commit.clone())).await?;
        outcome.into_single()
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        let outcome = self.with_state(|state| state.commit(set))??;
        if matches!(outcome, SetOutcome::Committed(_)) {
            self.news.announce();
        }
        Ok(outcome)
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        self.with_state(|state| state.head(stream_id))
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        self.with_state(|state| state.read_stream(query))
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        self.with_state(|state| state.read_global(from, limit))
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        self.with_state(|state| state.next_checkpoint())
    }

    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.with_state(|state| state.identity.clone())
    }

    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        self.with_state(|state| {
            let unchanged = state.identity.as_ref() == previous;
            if unchanged {
                state.identity = Some(next.clone());
            }
            unchanged
        })
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.news.listen()
    }

    fn max_changeset_bytes(&self) -> usize {
        self.max_changeset_bytes
    }

    async fn close(&self) {
        self.lock().take();
    }
}

#[async_trait]
impl StatisticsStore for MemoryStorage {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        self.with_state(|state| state.statistics)
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        self.with_state(|state| {
            let unchanged = state.statistics.version == previous;
            if unchanged {
                state.statistics = *statistics;
            }
            unchanged
        })
    }
}

#[async_trait]
impl CheckpointStore for MemoryStorage {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        self.with_state(|state| state.checkpoints.get(subscription).copied())
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        self.with_state(|state| {
            state
                .checkpoints
                .insert(subscription.to_owned(), checkpoint);
        })
    }
}
