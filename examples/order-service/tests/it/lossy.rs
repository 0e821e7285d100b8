//! A storage that writes commits and loses their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ees_core::adapter::{Commit, CommitSet, Outcome, SetOutcome, Storage};
use ees_core::{
    Changeset, Checkpoint, EventStore, GlobalPage, Head, Page, PageLimit, StorageError, StreamId,
    StreamQuery, Written,
};
use ees_memory::MemoryStorage;
use futures_util::future::BoxFuture;

/// A storage in memory. The answers to the first commits are lost.
pub(crate) struct Lossy {
    memory: MemoryStorage,
    lost: usize,
    /// How often a commit was sent.
    commits: AtomicUsize,
}

impl Lossy {
    /// Loses this number of answers.
    pub(crate) fn new(lost: usize) -> Arc<Self> {
        Arc::new(Self {
            memory: MemoryStorage::new(),
            lost,
            commits: AtomicUsize::new(0),
        })
    }

    pub(crate) fn store(self: &Arc<Self>) -> EventStore {
        EventStore::from_parts(Arc::clone(self) as _, Arc::new(MemoryStorage::new()))
    }

    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Storage for Lossy {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = self.memory.commit(commit).await?;
        if self.commits.fetch_add(1, Ordering::SeqCst) >= self.lost {
            return Ok(outcome);
        }
        Err(StorageError::Unavailable {
            reason: "the answer was lost".to_owned(),
            written: Written::Unknown,
            retry_after: Duration::ZERO,
            source: None,
        })
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        self.memory.commit_set(set).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        self.memory.head(stream_id).await
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        self.memory.read_stream(query).await
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        self.memory.read_global(from, limit).await
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        self.memory.next_checkpoint().await
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.memory.news()
    }

    fn max_changeset_bytes(&self) -> usize {
        self.memory.max_changeset_bytes()
    }

    async fn close(&self) {
        self.memory.close().await;
    }
}
