//! Readers that wait at the head, over storages that lose their wake-ups.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::{Fault, Faulty};
use ees_core::{
    Checkpoint, Clock, Error, EventStore, Events, Expectation, GlobalPage, NewChangeset, PageLimit,
    StorageError, Timestamp, Written,
};
use ees_memory::MemoryStorage;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, pending};
use proptest::prelude::*;

/// A storage that announces nothing, and counts reads and looks.
#[derive(Default)]
struct Deaf {
    reads: AtomicU64,
    looks: AtomicU64,
    /// Looks fail.
    fails: AtomicBool,
    /// Looks do not end.
    hangs: AtomicBool,
    /// So many reads still find nothing, although a look would.
    lags: AtomicU64,
}

#[async_trait]
impl Fault for Deaf {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            return Err(StorageError::unavailable("an outage", Written::None));
        }
        let lag = self.lags.load(Ordering::Relaxed);
        if let Some(less) = lag.checked_sub(1) {
            self.lags.store(less, Ordering::Relaxed);
            return GlobalPage::dense(from, Vec::new());
        }
        inner.read_global(from, limit).await
    }

    async fn next_checkpoint(&self, inner: &dyn Adapter) -> Result<Checkpoint, StorageError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            return pending().await;
        }
        if self.fails.load(Ordering::Relaxed) {
            return Err(StorageError::unavailable("an outage", Written::None));
        }
        inner.next_checkpoint().await
    }

    fn news(&self, _: &dyn Adapter) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

/// tokio's clock, which a test stops.
struct Virtual;

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}

const LONG: Duration = Duration::from_secs(100_000);

struct Scene {
    storage: Arc<Faulty<Deaf>>,
    store: EventStore,
    written: u64,
}

type Waiting = BoxFuture<'static, Result<usize, Error>>;

impl Scene {
    fn new() -> Self {
        let storage = Faulty::new(Arc::new(MemoryStorage::new()), Deaf::default());
        let statistics = Arc::new(MemoryStorage::new());
        let store = EventStore::from_parts(Arc::clone(&storage) as _, statistics);
        Self {
            storage,
            store: store.with_clock(Arc::new(Virtual)),
            written: 0,
        }
    }

    fn deaf(&self) -> &Deaf {
        self.storage.fault()
    }

    async fn commit(&mut self) {
        let stream = format!("s{}", self.written).parse().unwrap();
        let events = Events::parse("[1,2]").unwrap();
        let asked = NewChangeset::new(stream, Expectation::NEW_STREAM, events);
        self.store.commit(asked).await.unwrap();
        self.written += 1;
    }

    /// A reader at the head: every second one reads events, and stands behind the last of them.
    fn reader(&self, number: u64) -> Waiting {
        let (store, head) = (self.store.clone(), Checkpoint::new(self.written).unwrap());
        async move {
            let limit = PageLimit::default();
            if number.is_multiple_of(2) || head == Checkpoint::FIRST {
                let page = store.await_changesets(head, limit, LONG).await?;
                return Ok(page.changesets.len());
            }
            let before = Checkpoint::new(head.get() - 1).unwrap();
            let behind = ees_core::EventCheckpoint {
                changeset: before,
                index: 2,
            };
            let page = store.await_events(behind, limit, LONG).await?;
            Ok(page.events.len())
        }
        .boxed()
    }

    fn readers(&self, count: u64) -> Vec<Waiting> {
        (0..count).map(|number| self.reader(number)).collect()
    }
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn idle_readers_share_one_look() {
    let mut scene = Scene::new();
    scene.commit().await;
    let readers = tokio::spawn(join_all(scene.readers(100)));
    seconds(60).await;
    let deaf = scene.deaf();
    let (reads, looks) = (
        deaf.reads.load(Ordering::Relaxed),
        deaf.looks.load(Ordering::Relaxed),
    );
    assert!(reads <= 200, "two reads of each at most, but {reads}");
    // 100 of them check where the readers begin.
    assert!(
        (150..=161).contains(&looks),
        "one look a second, but {looks}"
    );
    scene.commit().await;
    for found in readers.await.unwrap() {
        assert!(found.unwrap() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_is_told_to_every_reader() {
    let scene = Scene::new();
    let readers = tokio::spawn(join_all(scene.readers(10)));
    seconds(3).await;
    scene.deaf().fails.store(true, Ordering::Relaxed);
    for found in readers.await.unwrap() {
        assert!(matches!(found, Err(Error::Storage(_))), "{found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_does_not_end_stops_no_others() {
    let mut scene = Scene::new();
    let readers = tokio::spawn(join_all(scene.readers(10)));
    seconds(3).await;
    scene.deaf().hangs.store(true, Ordering::Relaxed);
    seconds(3).await;
    scene.deaf().hangs.store(false, Ordering::Relaxed);
    scene.commit().await;
    for found in readers.await.unwrap() {
        assert_eq!(found.unwrap(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_that_lag_behind_the_look_are_repeated() {
    let mut scene = Scene::new();
    let readers = tokio::spawn(join_all(scene.readers(5)));
    seconds(3).await;
    scene.deaf().lags.store(100, Ordering::Relaxed);
    scene.commit().await;
    for found in readers.await.unwrap() {
        assert_eq!(found.unwrap(), 1);
    }
}

/// What happens to the readers.
#[derive(Debug, Clone)]
enum Step {
    Joins,
    Leaves(usize),
    /// It is never polled again, and not dropped either.
    Freezes(usize),
    Seconds(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Joins),
        (0..8_usize).prop_map(Step::Leaves),
        (0..8_usize).prop_map(Step::Freezes),
        (0..8_u64).prop_map(Step::Seconds),
    ]
}

/// Polls all for so long.
async fn live(readers: &mut [Waiting], time: u64) {
    let mut end = std::pin::pin!(seconds(time));
    std::future::poll_fn(|context| {
        for reader in &mut *readers {
            assert!(reader.poll_unpin(context).is_pending(), "nothing is there");
        }
        end.as_mut().poll(context)
    })
    .await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whoever joins, leaves or is not polled any more: who waits gets a commit that nobody announced,
    /// in the time in which a reader takes the lead over, and a look.
    #[test]
    fn no_reader_waits_for_ever(steps in prop::collection::vec(step(), 0..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut scene = Scene::new();
            scene.commit().await;
            let (mut readers, mut frozen) = (scene.readers(3), Vec::new());
            for (number, step) in (0..).zip(&steps) {
                match step {
                    Step::Joins => readers.push(scene.reader(number)),
                    Step::Leaves(at) if readers.len() > 1 => {
                        let at = at % readers.len();
                        drop(readers.remove(at));
                    }
                    Step::Freezes(at) if readers.len() > 1 => {
                        let at = at % readers.len();
                        frozen.push(readers.remove(at));
                    }
                    Step::Leaves(_) | Step::Freezes(_) => {}
                    Step::Seconds(time) => live(&mut readers, *time).await,
                }
            }
            live(&mut readers, 0).await;
            scene.commit().await;
            let all = tokio::time::timeout(Duration::from_secs(13), join_all(readers)).await;
            for found in all.expect("readers that are polled get it") {
                assert!(found.unwrap() > 0);
            }
            drop(frozen);
        });
    }
}
