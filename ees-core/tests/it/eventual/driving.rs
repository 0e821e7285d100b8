//! The indexer's driver: its requests to the port, and the end of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ees_core::adapter::{
    ChangesetKey, Entry, Index, IndexState, PositionWrite, Storage, SweepCursor, SweepPage,
};
use ees_core::indexer::{Indexer, read_global};
use ees_core::{Changeset, Checkpoint, Clock, Page, PageLimit, StorageError, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::faults::{Hasty, commit};
use super::faulty::{Fault, Faulty};
use super::{EventualStorage, sweep};

/// A port over the eventual storage that counts calls, and can let every swap lose.
struct Watched {
    storage: EventualStorage,
    look_ups: AtomicUsize,
    always_loses: bool,
}

#[async_trait]
impl Index for Watched {
    async fn load_state(&self) -> Result<IndexState, StorageError> {
        self.storage.load_state().await
    }

    async fn swap_state(&self, previous: u64, next: &IndexState) -> Result<bool, StorageError> {
        Ok(!self.always_loses && self.storage.swap_state(previous, next).await?)
    }

    async fn look_up(&self, keys: &[ChangesetKey]) -> Result<Vec<Entry>, StorageError> {
        assert!(keys.len() <= ees_core::adapter::MAX_KEYS);
        self.look_ups.fetch_add(1, Ordering::Relaxed);
        self.storage.look_up(keys).await
    }

    async fn write_position(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<PositionWrite, StorageError> {
        self.storage.write_position(key, position).await
    }

    async fn read_index(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, StorageError> {
        self.storage.read_index(from, limit).await
    }

    async fn fetch(&self, keys: &[ChangesetKey]) -> Result<Vec<Option<Changeset>>, StorageError> {
        self.storage.fetch(keys).await
    }

    async fn past_void(&self, position: Checkpoint) -> Result<Checkpoint, StorageError> {
        self.storage.past_void(position).await
    }

    async fn unindexed(&self, after: Option<&SweepCursor>) -> Result<SweepPage, StorageError> {
        self.storage.unindexed(after).await
    }

    async fn last_sweep(&self) -> Result<Option<Timestamp>, StorageError> {
        self.storage.last_sweep().await
    }

    async fn save_sweep(&self, begun: Timestamp) -> Result<(), StorageError> {
        self.storage.save_sweep(begun).await
    }
}

fn watched(always_loses: bool) -> Arc<Watched> {
    Arc::new(Watched {
        storage: EventualStorage::with_lag(0),
        look_ups: AtomicUsize::new(0),
        always_loses,
    })
}

fn indexer(index: &Arc<impl Index>) -> Indexer {
    Indexer::new(Arc::clone(index) as Arc<dyn Index>).with_clock(Arc::new(Hasty))
}

#[tokio::test]
async fn a_worker_does_not_check_what_it_finished_itself() {
    let index = watched(false);
    let mut worker = indexer(&index);
    for last in 0..3 {
        commit(&index.storage, 0, last).await;
        let done = worker.index(index.storage.notifications()).await.unwrap();
        assert_eq!((done.written, done.blocks, done.lost_swaps), (1, 1, 0));
    }
    let look_ups = || index.look_ups.load(Ordering::Relaxed);
    assert_eq!(look_ups(), 3, "one for each run's candidates");
    commit(&index.storage, 0, 3).await;
    let news = index.storage.notifications();
    indexer(&index).index(news.clone()).await.unwrap();
    assert_eq!(look_ups(), 5, "another worker has to check");
    let done = worker.index([news.clone(), news].concat()).await.unwrap();
    assert_eq!((done.written, done.blocks), (0, 0), "G6: once");
}

#[tokio::test]
async fn a_large_batch_is_asked_for_in_pieces() {
    let index = watched(false);
    for stream in 0..250 {
        commit(&index.storage, stream, 0).await;
        commit(&index.storage, stream, 1).await;
    }
    let mut news = index.storage.notifications();
    news.retain(|key| key.changeset_id.get() == 2);
    let done = indexer(&index).index(news).await.unwrap();
    assert_eq!((done.written, done.blocks), (500, 5));
}

#[tokio::test]
async fn a_worker_gives_up_where_others_are_always_faster() {
    let index = watched(true);
    commit(&index.storage, 0, 0).await;
    let news = index.storage.notifications();
    let failed = indexer(&index).index(news).await.unwrap_err();
    assert!(matches!(failed.source, StorageError::Unavailable { .. }));
    assert_eq!((failed.done.written, failed.done.lost_swaps), (0, 65));
}

#[tokio::test]
async fn a_run_may_be_dropped_anywhere() {
    for polls in 0..60 {
        let storage = Arc::new(EventualStorage::with_lag(0));
        for (stream, last) in [(0, 0), (0, 1), (1, 0), (2, 0)] {
            commit(&storage, stream, last).await;
        }
        let slow = Faulty::new(Arc::clone(&storage), vec![Fault::Delay(1); 100]);
        let mut worker = indexer(&Arc::new(slow));
        let mut run = Box::pin(worker.index(storage.notifications()));
        for _ in 0..polls {
            if run.as_mut().now_or_never().is_some() {
                break;
            }
        }
        drop(run);
        sweep(&mut worker).await;
        let all = PageLimit::default();
        let page = read_global(&*storage, Checkpoint::FIRST, all)
            .await
            .unwrap();
        let positions: Vec<_> = page.changesets.iter().map(|c| c.checkpoint).collect();
        let wanted: Vec<_> = (0..4).map(|p| Checkpoint::new(p).ok()).collect();
        assert_eq!(positions, wanted, "G6, after {polls} polls");
    }
}

/// A clock that runs fast.
struct Ahead(Duration);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        let ahead = i64::try_from(self.0.as_micros()).unwrap();
        Timestamp::from_micros(Timestamp::now().as_micros() + ahead).unwrap()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        std::future::ready(()).boxed()
    }
}

#[tokio::test]
async fn what_was_committed_a_moment_ago_is_found_and_not_lost() {
    for (minutes, lost) in [(0, 0), (5, 0), (15, 2)] {
        let storage = Arc::new(EventualStorage::with_lag(0));
        commit(&storage, 0, 0).await;
        commit(&storage, 1, 0).await;
        let clock = Arc::new(Ahead(Duration::from_mins(minutes)));
        let swept = indexer(&storage).with_clock(clock).sweep_page(None).await;
        let swept = swept.unwrap();
        let told = (swept.found, swept.lost, swept.done.written);
        assert_eq!(told, (2, lost, 2), "after {minutes} minutes");
    }
}

#[tokio::test]
async fn a_closed_storage_says_so() {
    let storage = Arc::new(EventualStorage::with_lag(0));
    commit(&storage, 0, 0).await;
    storage.close().await;
    let failed = indexer(&storage).index(storage.notifications()).await;
    let failed = failed.unwrap_err();
    assert!(matches!(failed.source, StorageError::Unavailable { .. }));
    assert!(indexer(&storage).sweep_page(None).await.is_err());
}
