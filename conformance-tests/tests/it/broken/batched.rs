//! An adapter over [`Disk`]: group commit, and reads of what is kept.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{Adapter, AdapterHarness, Capabilities, Harness, WriteFaults};
use ees_core::adapter::group_commit::{BatchLimit, GroupCommit};
use ees_core::adapter::{
    Commit, CommitSet, News, Outcome, PageBuilder, SetOutcome, StatisticsStore, Storage,
};
use ees_core::{
    Changeset, Checkpoint, CheckpointStore, Direction, GlobalPage, Head, Identity, Page, PageLimit,
    Statistics, StorageError, StreamId, StreamQuery, StreamRange,
};
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::MAX_CHANGESET_BYTES;
use super::disk::{Disk, Mistake, Writer};

pub(super) struct Batched<M> {
    disk: Arc<Disk>,
    commits: GroupCommit,
    writer: Mutex<Option<JoinHandle<()>>>,
    closed: AtomicBool,
    news: News,
    mistake: PhantomData<M>,
}

impl<M: Mistake> Batched<M> {
    fn open(disk: &Arc<Disk>) -> Arc<Self> {
        if M::LOSES_ITS_IDENTITY {
            disk.kept().identity = None;
        }
        let writer = Writer::<M>::new(Arc::clone(disk));
        let (commits, run) = GroupCommit::new(writer, BatchLimit::default());
        let writer = tokio::spawn(async move {
            run.await;
        });
        Arc::new(Self {
            disk: Arc::clone(disk),
            commits,
            writer: Mutex::new(Some(writer)),
            closed: false.into(),
            news: News::default(),
            mistake: PhantomData,
        })
    }

    fn assert_open(&self) -> Result<(), StorageError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(StorageError::closed());
        }
        Ok(())
    }

    /// All that readers see.
    fn seen(&self) -> Result<Vec<Changeset>, StorageError> {
        self.assert_open()?;
        let kept = self.disk.reach()?;
        Ok(kept.log.iter().chain(&kept.pending).cloned().collect())
    }
}

fn page(limit: PageLimit, changesets: Vec<Changeset>) -> Page<Changeset> {
    let mut page = PageBuilder::new(limit);
    for changeset in changesets {
        if !page.push_changeset(changeset) {
            break;
        }
    }
    page.finish()
}

#[async_trait]
impl<M: Mistake> Storage for Batched<M> {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = self.commits.commit(commit).await;
        self.news.announce();
        outcome
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        let outcome = self.commits.commit_set(set).await;
        self.news.announce();
        outcome
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        let seen = self.seen()?;
        let last = seen.iter().rfind(|c| c.stream_id == *stream_id);
        Ok(last.map(Changeset::head))
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        let mut found = self.seen()?;
        found.retain(|c| {
            c.stream_id == query.stream_id
                && match &query.range {
                    StreamRange::Changesets(ids) => ids.contains(&c.changeset_id.get()),
                    StreamRange::Events(ids) => {
                        c.last_event_id.get() >= *ids.start()
                            && c.first_event_id.get() <= *ids.end()
                    }
                }
        });
        if query.direction == Direction::Backward {
            found.reverse();
        }
        Ok(page(query.limit, found))
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut found = self.seen()?;
        found.retain(|c| c.checkpoint.is_some_and(|at| at >= from));
        GlobalPage::dense(from, page(limit, found).items)
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        Ok(Checkpoint::FIRST.plus(self.seen()?.len() as u64))
    }

    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.assert_open()?;
        Ok(self.disk.reach()?.identity.clone())
    }

    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        self.assert_open()?;
        let mut kept = self.disk.reach()?;
        let unchanged = kept.identity.as_ref() == previous;
        if unchanged {
            kept.identity = Some(next.clone());
        }
        Ok(unchanged)
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.news.listen()
    }

    fn max_changeset_bytes(&self) -> usize {
        MAX_CHANGESET_BYTES
    }

    async fn close(&self) {
        self.commits.close();
        if let Some(writer) = self.writer.lock().await.take() {
            let _ = writer.await;
        }
        self.closed.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl<M: Mistake> StatisticsStore for Batched<M> {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        self.assert_open()?;
        Ok(self.disk.reach()?.statistics)
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        self.assert_open()?;
        let mut kept = self.disk.reach()?;
        let unchanged = kept.statistics.version == previous;
        if unchanged {
            kept.statistics = *statistics;
        }
        Ok(unchanged)
    }
}

#[async_trait]
impl<M: Mistake> CheckpointStore for Batched<M> {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        self.assert_open()?;
        Ok(self.disk.reach()?.checkpoints.get(subscription).copied())
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        self.assert_open()?;
        let name = subscription.to_owned();
        self.disk.reach()?.checkpoints.insert(name, checkpoint);
        Ok(())
    }
}

/// The adapter, over a disk that outlives it.
pub(super) struct OnDisk<M> {
    disk: Arc<Disk>,
    storage: Arc<Batched<M>>,
}

#[async_trait]
impl<M: Mistake> Harness for OnDisk<M> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let disk = Arc::<Disk>::default();
        let storage = Batched::open(&disk);
        Self { disk, storage }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.storage))
    }

    async fn restart(&mut self) {
        self.storage.close().await;
        self.storage = Batched::open(&self.disk);
    }

    async fn settle(&self) {}

    fn time_limit(&self) -> Duration {
        Duration::from_secs(if M::GIVES_UP { 6 } else { 60 })
    }
}

impl<M: Mistake> AdapterHarness for OnDisk<M> {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.storage.clone()
    }

    fn faults(&self) -> Option<Arc<dyn WriteFaults>> {
        Some(Arc::clone(&self.disk) as Arc<dyn WriteFaults>)
    }
}
