//! The indexer's driver and the reader while the port fails, delays and crashes at any call.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ees_core::adapter::{ChangesetKey, Commit, Outcome, Storage};
use ees_core::indexer::{BlockLimit, Indexer, read_global};
use ees_core::{
    Changeset, Checkpoint, Clock, CommitId, Events, Expectation, Json, PageLimit, StorageError,
    StreamId, Timestamp,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use proptest::prelude::*;
use tokio::task::yield_now;

use super::faulty::{CRASH, Fault, Faulty};
use super::{EventualStorage, sweep};

/// A clock whose pauses only yield.
pub(super) struct Hasty;

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        yield_now().boxed()
    }
}

type Notifications = Arc<Mutex<VecDeque<ChangesetKey>>>;

/// The events of one test.
#[derive(Debug, Clone)]
struct Story {
    /// The streams of the commits, and the pause before each commit.
    commits: Vec<(usize, u8)>,
    /// Each worker's faults, and the number of notifications it takes at once.
    workers: Vec<(Vec<Fault>, usize)>,
    /// Each reader's faults.
    readers: Vec<Vec<Fault>>,
    /// The indices of the notifications that are lost, and of those that are repeated.
    lost: Vec<usize>,
    repeated: Vec<usize>,
    block: usize,
    lag: u64,
}

/// Appends to a stream.
pub(super) async fn commit(storage: &EventualStorage, stream: usize, last: u64) {
    let commit = Commit {
        stream_id: StreamId::new(&format!("s{stream}")).unwrap(),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse("[1]").unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    };
    let outcome = storage.commit(&commit).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)));
}

async fn commit_all(storage: Arc<EventualStorage>, queue: Notifications, story: Story) {
    let mut heads: HashMap<usize, u64> = HashMap::new();
    for (place, (stream, pause)) in story.commits.into_iter().enumerate() {
        let head = heads.entry(stream).or_default();
        commit(&storage, stream, *head).await;
        *head += 1;
        let key = storage.notifications().pop().unwrap();
        if story.repeated.contains(&place) {
            // It is repeated, and arrives before the waiting ones.
            queue.lock().unwrap().push_front(key.clone());
        }
        if !story.lost.contains(&place) {
            queue.lock().unwrap().push_back(key);
        }
        for _ in 0..pause {
            yield_now().await;
        }
    }
}

/// Takes notifications until none arrives for a while. A failed batch is queued again. A crash
/// discards the indexer's memory.
async fn work(
    index: Arc<Faulty<EventualStorage>>,
    queue: Notifications,
    at_once: usize,
    block: usize,
) {
    let limit = BlockLimit {
        members: block,
        ..BlockLimit::default()
    };
    let new = || {
        Indexer::new(Arc::clone(&index) as _)
            .with_clock(Arc::new(Hasty))
            .with_limit(limit)
    };
    let mut indexer = new();
    let mut idle = 0;
    while idle < 20 {
        let batch: Vec<_> = {
            let mut queue = queue.lock().unwrap();
            let count = at_once.min(queue.len());
            queue.drain(..count).collect()
        };
        idle = if batch.is_empty() { idle + 1 } else { 0 };
        match indexer.index(batch.clone()).await {
            Ok(done) => assert_eq!(done.refused, []),
            Err(failed) => {
                let StorageError::Unavailable { reason, .. } = failed.source else {
                    panic!("G6: nothing is corrupt, but {failed}");
                };
                if reason == CRASH {
                    indexer = new();
                }
                queue.lock().unwrap().extend(batch);
            }
        }
        yield_now().await;
    }
}

/// Follows the order to a given length.
async fn follow(index: Arc<Faulty<EventualStorage>>, length: u64) -> Vec<Changeset> {
    let mut from = Checkpoint::FIRST;
    let mut read = Vec::new();
    while from.get() < length {
        match read_global(&*index, from, PageLimit::items(3)).await {
            Ok(page) => {
                from = page.next;
                read.extend(page.changesets);
            }
            Err(StorageError::Unavailable { .. }) => {}
            Err(error) => panic!("G6: nothing is corrupt, but {error}"),
        }
        yield_now().await;
    }
    read
}

/// Runs a story. Returns the order, and the sequence that each reader saw.
async fn live(story: Story) -> (Vec<Changeset>, Vec<Vec<Changeset>>) {
    let storage = Arc::new(EventualStorage::with_lag(story.lag));
    let queue = Notifications::default();
    let length = story.commits.len() as u64;
    let faulty = |faults: &Vec<Fault>| Arc::new(Faulty::new(Arc::clone(&storage), faults.clone()));
    let readers = story.readers.iter();
    let readers: Vec<_> = readers
        .map(|faults| tokio::spawn(follow(faulty(faults), length)))
        .collect();
    let workers = story.workers.iter();
    let workers: Vec<_> = workers
        .map(|(faults, at_once)| work(faulty(faults), Arc::clone(&queue), *at_once, story.block))
        .map(tokio::spawn)
        .collect();
    let commits = commit_all(Arc::clone(&storage), Arc::clone(&queue), story);
    tokio::spawn(commits).await.unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    sweep(&mut Indexer::new(Arc::clone(&storage) as _)).await;
    let mut seen = Vec::new();
    for reader in readers {
        seen.push(reader.await.unwrap());
    }
    storage.catch_up();
    let page = storage
        .read_global(Checkpoint::FIRST, PageLimit::default())
        .await
        .unwrap();
    assert_eq!(page.next, storage.next_checkpoint().await.unwrap());
    (page.changesets, seen)
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => (0..6_u8).prop_map(Fault::Delay),
        1 => Just(Fault::Fail),
        1 => Just(Fault::LoseAnswer),
        1 => (0..40_u8).prop_map(Fault::DoneLater),
        1 => any::<bool>().prop_map(Fault::Crash),
    ]
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    prop::collection::vec(fault(), 0..80)
}

fn story() -> impl Strategy<Value = Story> {
    let places = || prop::collection::vec(0..30_usize, 0..8);
    (
        prop::collection::vec((0..4_usize, 0..6_u8), 1..30),
        prop::collection::vec((faults(), 1..8_usize), 1..4),
        prop::collection::vec(faults(), 0..3),
        (places(), places()),
        1..8_usize,
        0..5_u64,
    )
        .prop_map(
            |(commits, workers, readers, (lost, repeated), block, lag)| Story {
                commits,
                workers,
                readers,
                lost,
                repeated,
                block,
                lag,
            },
        )
}

proptest! {
    /// G6, G7, G8: under any faults, every changeset gets one position, none is left out, and each
    /// stream's order is kept. Readers that follow during the test see exactly that order.
    #[test]
    fn the_order_stands_whatever_fails(story in story()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let count = story.commits.len();
        let (order, seen) = runtime.block_on(live(story));
        prop_assert_eq!(order.len(), count, "G8: all are indexed");
        let mut heads: HashMap<&StreamId, u64> = HashMap::new();
        for (position, changeset) in (0_u64..).zip(&order) {
            prop_assert_eq!(changeset.checkpoint.unwrap().get(), position, "G6: dense");
            let head = heads.entry(&changeset.stream_id).or_default();
            *head += 1;
            prop_assert_eq!(changeset.changeset_id.get(), *head, "G7: in stream order, once");
        }
        for read in seen {
            prop_assert_eq!(&read, &order, "G6: a reader skips and repeats nothing");
        }
    }
}
