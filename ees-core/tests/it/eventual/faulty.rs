//! A port that fails, delays and crashes at any call.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ees_core::adapter::{
    ChangesetKey, Entry, Index, IndexState, PositionWrite, SweepCursor, SweepPage,
};
use ees_core::{Changeset, Checkpoint, Page, PageLimit, StorageError, Timestamp, Written};

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is delayed by this number of turns of the others, and takes effect.
    Delay(u8),
    /// It fails, and has no effect.
    Fail,
    /// It takes effect, but the answer is lost.
    LoseAnswer,
    /// It fails, but takes effect later, after this number of turns of the others.
    DoneLater(u8),
    /// The worker crashes. This call takes effect or not; other running calls do not.
    Crash(bool),
}

/// The error text of a crash.
pub(super) const CRASH: &str = "crashed";

/// A port over another one, with a stack of future faults: the last one is first.
pub(super) struct Faulty<I> {
    inner: Arc<I>,
    faults: Mutex<Vec<Fault>>,
}

fn failed(reason: &str) -> StorageError {
    StorageError::unavailable(reason, Written::Unknown)
}

async fn turns(count: u8) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

impl<I: Index> Faulty<I> {
    pub(super) fn new(inner: Arc<I>, faults: Vec<Fault>) -> Self {
        Self {
            inner,
            faults: Mutex::new(faults),
        }
    }

    async fn call<T, F>(&self, call: impl FnOnce(Arc<I>) -> F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StorageError>> + Send + 'static,
    {
        let done = call(Arc::clone(&self.inner));
        let fault = self.faults.lock().unwrap().pop();
        match fault {
            None => done.await,
            Some(Fault::Delay(count)) => {
                turns(count).await;
                let answer = done.await;
                turns(count).await;
                answer
            }
            Some(Fault::Fail) => Err(failed("failed")),
            Some(Fault::LoseAnswer) => {
                done.await?;
                Err(failed("the answer was lost"))
            }
            Some(Fault::DoneLater(count)) => {
                tokio::spawn(async move {
                    turns(count).await;
                    drop(done.await);
                });
                Err(failed("timed out"))
            }
            Some(Fault::Crash(is_done)) => {
                if is_done {
                    done.await?;
                }
                Err(failed(CRASH))
            }
        }
    }
}

#[async_trait]
impl<I: Index> Index for Faulty<I> {
    async fn load_state(&self) -> Result<IndexState, StorageError> {
        self.call(|inner| async move { inner.load_state().await })
            .await
    }

    async fn swap_state(&self, previous: u64, next: &IndexState) -> Result<bool, StorageError> {
        let next = next.clone();
        self.call(move |inner| async move { inner.swap_state(previous, &next).await })
            .await
    }

    async fn look_up(&self, keys: &[ChangesetKey]) -> Result<Vec<Entry>, StorageError> {
        let keys = keys.to_vec();
        self.call(move |inner| async move { inner.look_up(&keys).await })
            .await
    }

    async fn write_position(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<PositionWrite, StorageError> {
        let key = key.clone();
        self.call(move |inner| async move { inner.write_position(&key, position).await })
            .await
    }

    async fn read_index(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, StorageError> {
        self.call(move |inner| async move { inner.read_index(from, limit).await })
            .await
    }

    async fn fetch(&self, keys: &[ChangesetKey]) -> Result<Vec<Option<Changeset>>, StorageError> {
        let keys = keys.to_vec();
        self.call(move |inner| async move { inner.fetch(&keys).await })
            .await
    }

    async fn past_void(&self, position: Checkpoint) -> Result<Checkpoint, StorageError> {
        self.call(move |inner| async move { inner.past_void(position).await })
            .await
    }

    async fn unindexed(&self, after: Option<&SweepCursor>) -> Result<SweepPage, StorageError> {
        let after = after.cloned();
        self.call(move |inner| async move { inner.unindexed(after.as_ref()).await })
            .await
    }

    async fn last_sweep(&self) -> Result<Option<Timestamp>, StorageError> {
        self.call(|inner| async move { inner.last_sweep().await })
            .await
    }

    async fn save_sweep(&self, begun: Timestamp) -> Result<(), StorageError> {
        self.call(move |inner| async move { inner.save_sweep(begun).await })
            .await
    }
}
