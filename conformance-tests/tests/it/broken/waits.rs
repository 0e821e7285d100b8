//! Storages that make others wait for ever, or that would.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::adapter::{Commit, News, Outcome};
use ees_core::{
    Changeset, Checkpoint, GlobalPage, Head, Page, PageLimit, StorageError, StreamId, StreamQuery,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Announces nothing.
#[derive(Default)]
pub(super) struct ForgetsNews;

impl Fault for ForgetsNews {
    fn news(&self, _: &dyn Adapter) -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }
}

/// Announces a commit before it lasts.
#[derive(Default)]
pub(super) struct AnnouncesEarly(Arc<News>);

#[async_trait]
impl Fault for AnnouncesEarly {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        self.0.announce();
        tokio::time::sleep(Duration::from_millis(5)).await;
        inner.commit(commit).await
    }

    fn news(&self, _: &dyn Adapter) -> BoxFuture<'static, ()> {
        self.0.listen()
    }
}

/// Begins to listen when it is polled.
#[derive(Default)]
pub(super) struct ListensWhenPolled(Arc<News>);

#[async_trait]
impl Fault for ListensWhenPolled {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await;
        self.0.announce();
        outcome
    }

    fn news(&self, _: &dyn Adapter) -> BoxFuture<'static, ()> {
        let news = Arc::clone(&self.0);
        async move { news.listen().await }.boxed()
    }
}

/// Keeps the head that it saw first.
#[derive(Default)]
pub(super) struct RemembersTheHead(Mutex<Option<Checkpoint>>);

#[async_trait]
impl Fault for RemembersTheHead {
    async fn next_checkpoint(&self, inner: &dyn Adapter) -> Result<Checkpoint, StorageError> {
        let head = inner.next_checkpoint().await?;
        Ok(*self.0.lock().unwrap().get_or_insert(head))
    }
}

/// Closes nothing.
#[derive(Default)]
pub(super) struct ClosesNothing;

#[async_trait]
impl Fault for ClosesNothing {
    async fn close(&self, _: &dyn Adapter) {}
}

/// Never gets to the end of closing.
#[derive(Default)]
pub(super) struct ClosesForEver;

#[async_trait]
impl Fault for ClosesForEver {
    async fn close(&self, _: &dyn Adapter) {
        std::future::pending::<()>().await;
    }
}

/// Forgets those who wait for an answer when it is closed, as who aborts the writer.
#[derive(Default)]
pub(super) struct AbortsItsWriter;

#[async_trait]
impl Fault for AbortsItsWriter {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        tokio::task::yield_now().await;
        match inner.commit(commit).await {
            Err(_) => std::future::pending().await,
            outcome => outcome,
        }
    }
}

/// Answers no read of a head.
#[derive(Default)]
pub(super) struct AnswersNoHead;

#[async_trait]
impl Fault for AnswersNoHead {
    async fn head(&self, _: &dyn Adapter, _: &StreamId) -> Result<Option<Head>, StorageError> {
        std::future::pending().await
    }
}

/// Keeps a thread busy for ever.
#[derive(Default)]
pub(super) struct BlocksItsThread;

#[async_trait]
impl Fault for BlocksItsThread {
    async fn head(&self, _: &dyn Adapter, _: &StreamId) -> Result<Option<Head>, StorageError> {
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

/// Counts checkpoints from 1.
#[derive(Default)]
pub(super) struct CountsFromOne;

/// The same changeset one place later.
fn later(changeset: &mut Changeset) {
    changeset.checkpoint = changeset.checkpoint.map(|checkpoint| checkpoint.plus(1));
}

#[async_trait]
impl Fault for CountsFromOne {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let mut outcome = inner.commit(commit).await?;
        if let Outcome::Committed(receipt) = &mut outcome {
            receipt.checkpoint = receipt.checkpoint.map(|checkpoint| checkpoint.plus(1));
        }
        Ok(outcome)
    }

    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let mut page = inner.read_stream(query).await?;
        page.items.iter_mut().for_each(later);
        Ok(page)
    }

    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let before = from.get().saturating_sub(1);
        let before = Checkpoint::new(before).unwrap_or(Checkpoint::FIRST);
        let mut page = inner.read_global(before, limit).await?;
        page.changesets.iter_mut().for_each(later);
        GlobalPage::dense(from, page.changesets)
    }

    async fn next_checkpoint(&self, inner: &dyn Adapter) -> Result<Checkpoint, StorageError> {
        Ok(inner.next_checkpoint().await?.plus(1))
    }
}

/// Leaves a hole where the third commit should be, and says so.
#[derive(Default)]
pub(super) struct LeavesAHole;

#[async_trait]
impl Fault for LeavesAHole {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut page = inner.read_global(from, limit).await?;
        let is_behind = |c: &Changeset| c.checkpoint.is_some_and(|at| at.get() >= 3);
        page.changesets
            .iter_mut()
            .filter(|c| is_behind(c))
            .for_each(later);
        GlobalPage::dense(from, page.changesets)
    }
}
