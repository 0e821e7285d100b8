//! Counting during commits and failures of the storage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::{Fault, Faulty};
use ees_core::{Checkpoint, Events, Expectation, GlobalPage, NewChangeset, StorageError, Written};
use ees_memory::MemoryStorage;

use super::*;

/// The number of reads of the order that still fail.
struct Failing(AtomicU32);

#[async_trait]
impl Fault for Failing {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let left = self.0.load(Ordering::Relaxed);
        if left > 0 {
            self.0.store(left - 1, Ordering::Relaxed);
            return Err(StorageError::unavailable("for a while", Written::None));
        }
        inner.read_global(from, limit).await
    }
}

async fn commit(store: &EventStore, stream: &str) {
    let events = Events::parse("[1, 2]").unwrap();
    let asked = NewChangeset::new(stream.parse().unwrap(), Expectation::NEW_STREAM, events);
    store.commit(asked).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_counts_what_comes_although_the_storage_fails() {
    let storage = Faulty::new(Arc::new(MemoryStorage::new()), Failing(AtomicU32::new(3)));
    let store = EventStore::new(storage);
    commit(&store, "before").await;
    let closing = CancellationToken::new();
    let counting = tokio::spawn(project_statistics(store.clone(), closing.clone()));
    for (stream, events) in [("s", 4), ("t", 6)] {
        commit(&store, stream).await;
        while store.statistics().await.unwrap().total_events < events {
            sleep(Duration::from_millis(10)).await;
        }
    }
    closing.cancel();
    counting.await.unwrap();
    assert_eq!(store.statistics().await.unwrap().total_streams, 3);
}
