//! A store whose data was changed behind its back.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ees_core::adapter::{
    Commit, CommitSet, LogStore, Outcome, SetOutcome, StatisticsStore, Storage, StoredLogHead,
    Tile, TileId,
};
use ees_core::{
    Changeset, Checkpoint, EventStore, GlobalPage, Head, Page, PageLimit, Statistics, StorageError,
    StreamId, StreamQuery,
};
use ees_memory::MemoryStorage;
use futures_util::future::BoxFuture;

type Change<T> = Mutex<Option<Box<dyn Fn(T) -> T + Send>>>;

/// A store over another one, which shows it changed.
pub(crate) struct Damaged {
    pub(crate) under: Arc<MemoryStorage>,
    pub(crate) order: Change<Vec<Changeset>>,
    pub(crate) tile: Change<(TileId, Option<Vec<u8>>)>,
    pub(crate) head: Change<String>,
    pub(crate) statistics: Change<Statistics>,
    pub(crate) end: Change<Checkpoint>,
}

impl Damaged {
    pub(crate) fn over(under: &Arc<MemoryStorage>) -> (EventStore, Arc<Self>) {
        let damaged = Arc::new(Self {
            under: Arc::clone(under),
            order: Mutex::default(),
            tile: Mutex::default(),
            head: Mutex::default(),
            statistics: Mutex::default(),
            end: Mutex::default(),
        });
        let store = EventStore::new(Arc::clone(&damaged)).with_log(Arc::clone(&damaged) as _);
        (store, damaged)
    }
}

fn changed<T>(change: &Change<T>, value: T) -> T {
    match &*change.lock().unwrap() {
        Some(change) => change(value),
        None => value,
    }
}

#[async_trait]
impl Storage for Damaged {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        self.under.commit(commit).await
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        self.under.commit_set(set).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        self.under.head(stream_id).await
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        self.under.read_stream(query).await
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        if self.order.lock().unwrap().is_none() && self.end.lock().unwrap().is_none() {
            return self.under.read_global(from, limit).await;
        }
        let all = self
            .under
            .read_global(Checkpoint::FIRST, PageLimit::default());
        let end = self.next_checkpoint().await?;
        let all = changed(&self.order, all.await?.changesets).into_iter();
        let rest = all.filter(|changeset| {
            changeset.checkpoint >= Some(from) && changeset.checkpoint < Some(end)
        });
        GlobalPage::dense(from, rest.take(limit.items).collect())
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        Ok(changed(&self.end, self.under.next_checkpoint().await?))
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.under.news()
    }

    fn max_changeset_bytes(&self) -> usize {
        self.under.max_changeset_bytes()
    }

    async fn close(&self) {
        self.under.close().await;
    }
}

#[async_trait]
impl StatisticsStore for Damaged {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        Ok(changed(
            &self.statistics,
            self.under.load_statistics().await?,
        ))
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        self.under.swap_statistics(previous, statistics).await
    }
}

#[async_trait]
impl LogStore for Damaged {
    async fn load_log_head(&self) -> Result<Option<StoredLogHead>, StorageError> {
        let stored = self.under.load_log_head().await?;
        Ok(stored.map(|stored| StoredLogHead {
            document: changed(&self.head, stored.document),
            ..stored
        }))
    }

    async fn load_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
        let stored = self.under.load_tile(tile).await?;
        Ok(changed(&self.tile, (tile, stored)).1)
    }

    async fn seal(
        &self,
        previous: Option<u64>,
        next: &StoredLogHead,
        tiles: &[Tile],
    ) -> Result<bool, StorageError> {
        self.under.seal(previous, next, tiles).await
    }
}
