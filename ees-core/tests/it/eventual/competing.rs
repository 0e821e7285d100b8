//! What several indexers at once cost, as the shards of a table's stream have one each: in write and
//! read units of `DynamoDB`, over a storage that answers after 5 to 10 ms. Time is simulated.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ees_core::adapter::{
    ChangesetKey, Entry, Index, IndexState, PositionWrite, SweepCursor, SweepPage,
};
use ees_core::indexer::Indexer;
use ees_core::{Changeset, Checkpoint, Clock, Page, PageLimit, StorageError, Timestamp};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use tokio::time::sleep;

use super::EventualStorage;
use super::faults::commit;

/// The prices of a million units in dollars.
const WRITE: f64 = 0.625;
const READ: f64 = 0.125;

/// The size of a member in the stored state.
const MEMBER_BYTES: u64 = 60;

/// The simulated clock.
struct Simulated;

impl Clock for Simulated {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        sleep(duration).boxed()
    }
}

/// What was used.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    writes: u64,
    reads: u64,
    lost_swaps: u64,
    calls: u64,
}

/// A worker's connection to the storage: late answers, counted units, and the positions that the
/// worker wrote, which it does not read again.
struct Distant {
    inner: Arc<EventualStorage>,
    kilobytes: u64,
    used: Arc<Mutex<Used>>,
    own: Mutex<HashMap<ChangesetKey, Checkpoint>>,
}

impl Distant {
    async fn call(&self, writes: u64, reads: u64) {
        let number = {
            let mut used = self.used.lock().unwrap();
            used.writes += writes;
            used.reads += reads;
            used.calls += 1;
            used.calls
        };
        sleep(Duration::from_millis(5 + number * 7 % 6)).await;
    }
}

#[async_trait]
impl Index for Distant {
    async fn load_state(&self) -> Result<IndexState, StorageError> {
        let state = self.inner.load_state().await?;
        let bytes = state.intent.len() as u64 * MEMBER_BYTES;
        self.call(0, bytes.div_ceil(4096).max(1)).await;
        // The answer is as old as its way back.
        Ok(state)
    }

    async fn swap_state(&self, previous: u64, next: &IndexState) -> Result<bool, StorageError> {
        let bytes = next.intent.len() as u64 * MEMBER_BYTES;
        self.call(bytes.div_ceil(1024).max(1), 0).await;
        let won = self.inner.swap_state(previous, next).await?;
        self.used.lock().unwrap().lost_swaps += u64::from(!won);
        Ok(won)
    }

    async fn look_up(&self, keys: &[ChangesetKey]) -> Result<Vec<Entry>, StorageError> {
        let known: Vec<_> = {
            let own = self.own.lock().unwrap();
            keys.iter().map(|key| own.get(key).copied()).collect()
        };
        let unknown = known.iter().filter(|known| known.is_none()).count() as u64;
        if unknown == 0 {
            return Ok(known.into_iter().flatten().map(Entry::At).collect());
        }
        let found = self.inner.look_up(keys).await?;
        self.call(0, unknown * self.kilobytes.div_ceil(4)).await;
        Ok(found)
    }

    async fn write_position(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<PositionWrite, StorageError> {
        // A condition that does not hold costs the write of the item.
        self.call(self.kilobytes, 0).await;
        let written = self.inner.write_position(key, position).await?;
        if written == PositionWrite::Written {
            self.used.lock().unwrap().writes += 1;
            self.own.lock().unwrap().insert(key.clone(), position);
        }
        Ok(written)
    }

    async fn read_index(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, StorageError> {
        self.inner.read_index(from, limit).await
    }

    async fn fetch(&self, keys: &[ChangesetKey]) -> Result<Vec<Option<Changeset>>, StorageError> {
        self.inner.fetch(keys).await
    }

    async fn past_void(&self, position: Checkpoint) -> Result<Checkpoint, StorageError> {
        self.inner.past_void(position).await
    }

    async fn unindexed(&self, after: Option<&SweepCursor>) -> Result<SweepPage, StorageError> {
        self.inner.unindexed(after).await
    }

    async fn last_sweep(&self) -> Result<Option<Timestamp>, StorageError> {
        self.inner.last_sweep().await
    }

    async fn save_sweep(&self, begun: Timestamp) -> Result<(), StorageError> {
        self.inner.save_sweep(begun).await
    }
}

/// The notifications of one shard.
type Shard = Arc<Mutex<VecDeque<ChangesetKey>>>;

/// The number of streams that are committed to in turn.
const STREAMS: usize = 200;

/// Commits `total` changesets, so many a second, and tells each shard of those of its streams.
async fn commit_all(storage: &EventualStorage, shards: &[Shard], total: usize, per_second: u64) {
    for number in 0..total {
        let stream = number % STREAMS;
        commit(storage, stream, (number / STREAMS) as u64).await;
        for key in storage.notifications() {
            shards[stream % shards.len()].lock().unwrap().push_back(key);
        }
        sleep(Duration::from_micros(1_000_000 / per_second)).await;
    }
}

/// How often Lambda asks a shard without a batching window.
const NO_WINDOW: Duration = Duration::from_millis(250);

/// Takes the notifications of its shard, at most a hundred at once, as Lambda does once in a window, or
/// at once while there are more.
async fn work(distant: Distant, shard: Shard, total: u64, window: Duration) {
    let inner = Arc::clone(&distant.inner);
    let mut indexer = Indexer::new(Arc::new(distant)).with_clock(Arc::new(Simulated));
    loop {
        let batch: Vec<_> = {
            let mut shard = shard.lock().unwrap();
            let count = shard.len().min(100);
            shard.drain(..count).collect()
        };
        if batch.is_empty() {
            if inner.load_state().await.unwrap().next().get() == total {
                return;
            }
            sleep(window).await;
        } else {
            let done = indexer.index(batch).await.unwrap();
            assert_eq!(done.refused, []);
        }
    }
}

/// The number of changesets that are indexed.
const TOTAL: usize = 1000;

/// What so many workers use for changesets of a size, that are committed at a rate.
async fn used(workers: usize, kilobytes: u64, per_second: u64, window: Duration) -> Used {
    let storage = Arc::new(EventualStorage::with_lag(0));
    let shards: Vec<Shard> = (0..workers).map(|_| Shard::default()).collect();
    let used: Arc<Mutex<Used>> = Arc::default();
    let works = (0..).zip(&shards).map(|(worker, shard)| {
        let distant = Distant {
            inner: Arc::clone(&storage),
            kilobytes,
            used: Arc::clone(&used),
            own: Mutex::default(),
        };
        let shard = Arc::clone(shard);
        async move {
            // Shards are not read at the same moments.
            sleep(Duration::from_millis(61 * worker)).await;
            work(distant, shard, TOTAL as u64, window).await;
        }
    });
    let committing = commit_all(&storage, &shards, TOTAL, per_second);
    tokio::join!(committing, join_all(works));
    *used.lock().unwrap()
}

/// Dollars for the index of a million changesets.
#[allow(clippy::cast_precision_loss)] // counts far below 2^52
fn dollars(used: &Used) -> f64 {
    (used.writes as f64 * WRITE + used.reads as f64 * READ) / TOTAL as f64
}

/// Four indexers cost at most 1.15 times as much as one, whatever the size of changesets. At a low rate
/// they have smaller batches than one has, and so more swaps for each changeset, unless a batching window of
/// a second fills them.
#[tokio::test(start_paused = true)]
async fn several_indexers_cost_hardly_more_than_one() {
    for kilobytes in [1, 10] {
        for (per_second, window, most) in [
            (20, NO_WINDOW, 1.5),
            (20, Duration::from_secs(1), 1.15),
            (200, NO_WINDOW, 1.15),
            (1000, NO_WINDOW, 1.15),
        ] {
            let one = used(1, kilobytes, per_second, window).await;
            let four = used(4, kilobytes, per_second, window).await;
            let ratio = dollars(&four) / dollars(&one);
            assert!(
                ratio <= most,
                "{kilobytes} KB, {per_second}/s, {window:?}: {ratio:.3}; one {one:?}, four {four:?}"
            );
        }
    }
}
