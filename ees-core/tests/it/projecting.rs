//! The end of a round of counting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{
    Checkpoint, EventStore, Events, Expectation, NewChangeset, Projector, Statistics, StorageError,
};
use ees_memory::MemoryStorage;

/// A store with a new commit at each save of the counts.
struct Busy {
    storage: Arc<MemoryStorage>,
    saves: AtomicU64,
}

async fn commit(storage: &Arc<MemoryStorage>, last: u64) {
    let store = EventStore::new(Arc::clone(storage));
    let events = Events::parse("[1]").unwrap();
    let expectation = Expectation::LastChangeset(last);
    let asked = NewChangeset::new("s".parse().unwrap(), expectation, events);
    store.commit(asked).await.unwrap();
}

#[async_trait]
impl StatisticsStore for Busy {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        self.storage.load_statistics().await
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let saves = self.saves.fetch_add(1, Ordering::SeqCst) + 1;
        if saves < 10 {
            commit(&self.storage, saves).await;
        }
        self.storage.swap_statistics(previous, statistics).await
    }
}

/// A round ends under continuous commits. Each save costs a flush, and pauses are only between
/// rounds.
#[tokio::test]
async fn a_round_counts_what_was_there_when_it_began() {
    let storage = Arc::new(MemoryStorage::new());
    commit(&storage, 0).await;
    let busy = Arc::new(Busy {
        storage: Arc::clone(&storage),
        saves: AtomicU64::new(0),
    });
    let store = EventStore::from_parts(storage, Arc::clone(&busy) as _);
    let projector = Projector::new(&store);
    for round in 1..=3 {
        let counted = projector.catch_up().await.unwrap();
        assert_eq!(counted.total_changesets, round);
        assert_eq!(busy.saves.load(Ordering::SeqCst), round, "one save a round");
    }
}
