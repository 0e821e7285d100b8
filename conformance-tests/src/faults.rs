//! Storages that misbehave on purpose, over a correct one.
//!
//! Calls that a [`Fault`] does not change reach the adapter. The suite uses faults that a storage
//! may have (a lost answer, an outage) to test the layers above it. The suite's own tests use
//! faults that a storage must not have, to check that a case finds them.

use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::{
    Commit, CommitSet, Outcome, SetOutcome, StatisticsStore, Storage, read_filtered,
};
use ees_core::{
    Changeset, Checkpoint, CheckpointStore, Filter, GlobalPage, Head, Identity, Page, PageLimit,
    Statistics, StorageError, StreamId, StreamQuery,
};
use futures_util::future::BoxFuture;

use crate::Adapter;

/// A fault. Each method gets the adapter behind it, and by default calls it.
#[async_trait]
pub trait Fault: Send + Sync + 'static {
    /// As [`Storage::commit`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        inner.commit(commit).await
    }

    /// As [`Storage::commit_set`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        inner.commit_set(set).await
    }

    /// As [`Storage::head`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn head(
        &self,
        inner: &dyn Adapter,
        stream_id: &StreamId,
    ) -> Result<Option<Head>, StorageError> {
        inner.head(stream_id).await
    }

    /// As [`Storage::read_stream`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        inner.read_stream(query).await
    }

    /// As [`Storage::read_global`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        inner.read_global(from, limit).await
    }

    /// As [`Storage::read_filtered`]. `None`: the provided one, over [`Fault::read_global`].
    async fn read_filtered(
        &self,
        _inner: &dyn Adapter,
        _from: Checkpoint,
        _limit: PageLimit,
        _filter: &Filter,
    ) -> Option<Result<GlobalPage, StorageError>> {
        None
    }

    /// As [`Storage::next_checkpoint`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn next_checkpoint(&self, inner: &dyn Adapter) -> Result<Checkpoint, StorageError> {
        inner.next_checkpoint().await
    }

    /// As [`Storage::check_sound`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    fn check_sound(&self, inner: &dyn Adapter) -> Result<(), StorageError> {
        inner.check_sound()
    }

    /// As [`Storage::check_writable`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn check_writable(&self, inner: &dyn Adapter) -> Result<(), StorageError> {
        inner.check_writable().await
    }

    /// As [`Storage::load_identity`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn load_identity(&self, inner: &dyn Adapter) -> Result<Option<Identity>, StorageError> {
        inner.load_identity().await
    }

    /// As [`Storage::swap_identity`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn swap_identity(
        &self,
        inner: &dyn Adapter,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        inner.swap_identity(previous, next).await
    }

    /// As [`Storage::news`].
    fn news(&self, inner: &dyn Adapter) -> BoxFuture<'static, ()> {
        inner.news()
    }

    /// As [`Storage::close`].
    async fn close(&self, inner: &dyn Adapter) {
        inner.close().await;
    }

    /// As [`CheckpointStore::load_checkpoint`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn load_checkpoint(
        &self,
        inner: &dyn Adapter,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        inner.load_checkpoint(subscription).await
    }

    /// As [`CheckpointStore::save_checkpoint`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn save_checkpoint(
        &self,
        inner: &dyn Adapter,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        inner.save_checkpoint(subscription, checkpoint).await
    }

    /// As [`StatisticsStore::swap_statistics`].
    ///
    /// # Errors
    /// Those of the fault, and those of the adapter.
    async fn swap_statistics(
        &self,
        inner: &dyn Adapter,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        inner.swap_statistics(previous, statistics).await
    }
}

/// An adapter behind a fault.
pub struct Faulty<F> {
    inner: Arc<dyn Adapter>,
    fault: F,
}

impl<F: Fault> Faulty<F> {
    /// Wraps an adapter in a fault.
    pub fn new(inner: Arc<dyn Adapter>, fault: F) -> Arc<Self> {
        Arc::new(Self { inner, fault })
    }

    /// The fault.
    pub fn fault(&self) -> &F {
        &self.fault
    }
}

#[async_trait]
impl<F: Fault> Storage for Faulty<F> {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        self.fault.commit(&*self.inner, commit).await
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        self.fault.commit_set(&*self.inner, set).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        self.fault.head(&*self.inner, stream_id).await
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        self.fault.read_stream(&*self.inner, query).await
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        self.fault.read_global(&*self.inner, from, limit).await
    }

    async fn read_filtered(
        &self,
        from: Checkpoint,
        limit: PageLimit,
        filter: &Filter,
    ) -> Result<GlobalPage, StorageError> {
        let inner = &*self.inner;
        let read = self.fault.read_filtered(inner, from, limit, filter);
        if let Some(page) = read.await {
            return page;
        }
        let read = |from, limit| self.read_global(from, limit);
        read_filtered(from, limit, filter, read).await
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        self.fault.next_checkpoint(&*self.inner).await
    }

    fn check_sound(&self) -> Result<(), StorageError> {
        self.fault.check_sound(&*self.inner)
    }

    async fn check_writable(&self) -> Result<(), StorageError> {
        self.fault.check_writable(&*self.inner).await
    }

    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.fault.load_identity(&*self.inner).await
    }

    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        self.fault.swap_identity(&*self.inner, previous, next).await
    }

    fn identity_place(&self) -> Option<String> {
        self.inner.identity_place()
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.fault.news(&*self.inner)
    }

    fn max_changeset_bytes(&self) -> usize {
        self.inner.max_changeset_bytes()
    }

    async fn close(&self) {
        self.fault.close(&*self.inner).await;
    }
}

#[async_trait]
impl<F: Fault> StatisticsStore for Faulty<F> {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        self.inner.load_statistics().await
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        self.fault
            .swap_statistics(&*self.inner, previous, statistics)
            .await
    }
}

#[async_trait]
impl<F: Fault> CheckpointStore for Faulty<F> {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        self.fault.load_checkpoint(&*self.inner, subscription).await
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        self.fault
            .save_checkpoint(&*self.inner, subscription, checkpoint)
            .await
    }
}

impl<F> std::fmt::Debug for Faulty<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faulty").finish_non_exhaustive()
    }
}
