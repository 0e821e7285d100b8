//! A worker in a loop: how often it writes, and what it does about lost answers.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ees_core::adapter::{ConsumerStore, ParkedWrite, StoredPartition};
use ees_core::consumer::{Consumer, ConsumerDefinition};
use ees_core::{
    Changeset, Clock, EventStore, Events, Expectation, NewChangeset, StorageError, Timestamp,
    Written,
};
use ees_memory::MemoryStorage;
use futures_util::future::BoxFuture;

/// The number of changesets that a worker has to handle, and of those in a batch.
const CHANGESETS: u64 = 50;
const LIMIT: usize = 10;

/// A store of consumers that counts its writes, and loses every other answer to them.
struct Counting {
    inner: Arc<MemoryStorage>,
    swaps: AtomicUsize,
    loses_answers: bool,
}

#[async_trait]
impl ConsumerStore for Counting {
    async fn define_consumer(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<Option<String>, StorageError> {
        self.inner.define_consumer(name, definition).await
    }

    async fn load_consumer(&self, name: &str) -> Result<Option<String>, StorageError> {
        self.inner.load_consumer(name).await
    }

    async fn consumer_names(&self) -> Result<Vec<String>, StorageError> {
        self.inner.consumer_names().await
    }

    async fn remove_consumer(
        &self,
        name: &str,
        definition: &str,
        id: &str,
        slots: &[Vec<u16>],
    ) -> Result<bool, StorageError> {
        self.inner
            .remove_consumer(name, definition, id, slots)
            .await
    }

    async fn load_partitions(
        &self,
        id: &str,
        partitions: Range<u16>,
    ) -> Result<Vec<Option<StoredPartition>>, StorageError> {
        self.inner.load_partitions(id, partitions).await
    }

    async fn load_parked(
        &self,
        id: &str,
        partition: u16,
        slots: &[u16],
    ) -> Result<Vec<String>, StorageError> {
        self.inner.load_parked(id, partition, slots).await
    }

    async fn swap_partition(
        &self,
        id: &str,
        partition: u16,
        previous: Option<u64>,
        next: &StoredPartition,
        parked: &[ParkedWrite],
    ) -> Result<bool, StorageError> {
        let call = self
            .inner
            .swap_partition(id, partition, previous, next, parked);
        let swapped = call.await?;
        // The first is the claim.
        let is_lost = self.swaps.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        if is_lost && self.loses_answers {
            return Err(StorageError::unavailable("lost", Written::Unknown));
        }
        Ok(swapped)
    }
}

/// A clock on which every pause is short.
struct Impatient;

impl Clock for Impatient {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(Duration::from_millis(1)))
    }
}

/// Runs a worker until it has been handed everything. Returns the positions that it was handed, and the
/// number of writes.
async fn run(loses_answers: bool) -> (Vec<u64>, usize) {
    let memory = Arc::new(MemoryStorage::new());
    let counting = Arc::new(Counting {
        inner: Arc::clone(&memory),
        swaps: AtomicUsize::new(0),
        loses_answers,
    });
    let store = EventStore::new(memory)
        .with_consumers(Arc::clone(&counting) as Arc<dyn ConsumerStore>)
        .with_clock(Arc::new(Impatient));
    for last in 0..CHANGESETS {
        let events = Events::parse("[1]").unwrap();
        let expected = Expectation::LastChangeset(last);
        let commit = NewChangeset::new("s".parse().unwrap(), expected, events);
        store.commit(commit).await.unwrap();
    }
    let (name, definition) = ("billing".parse().unwrap(), ConsumerDefinition::default());
    let consumers = store.consumers().unwrap();
    consumers.define(&name, &definition).await.unwrap();
    let handled = RefCell::new(Vec::new());
    let mut worker = Consumer::new(&store, "billing").unwrap().limit(LIMIT);
    let work = worker.run(async |changeset: &Changeset| {
        let position = changeset.checkpoint.unwrap().get();
        handled.borrow_mut().push(position);
        Ok::<(), String>(())
    });
    let all_is_acknowledged = async {
        while consumers.report(&name).await.unwrap().lag_changesets > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = work => panic!("{ended:?}"),
        () = all_is_acknowledged => {}
    }
    let handled = handled.into_inner();
    (handled, counting.swaps.load(Ordering::Relaxed))
}

/// A batch is acknowledged, and the next one taken, with one write.
#[tokio::test]
async fn a_batch_costs_one_write() {
    let (handled, writes) = run(false).await;
    assert_eq!(handled, (0..CHANGESETS).collect::<Vec<_>>());
    let batches = usize::try_from(CHANGESETS).unwrap() / LIMIT;
    assert!(
        writes <= batches + 2,
        "{writes} writes for {batches} batches"
    );
}

/// G16: an acknowledgement whose answer was lost is repeated. It brings the batch that was handed out, so
/// nothing waits for the end of a lease, and nothing is handled twice.
#[tokio::test]
async fn lost_answers_to_acknowledgements_cost_nothing() {
    let (handled, _) = run(true).await;
    assert_eq!(handled, (0..CHANGESETS).collect::<Vec<_>>());
}
