//! The second reference adapter, which orders after the commit: the conformance suite on it, and
//! the indexer over it under injected faults.

mod competing;
mod driving;
mod faults;
mod faulty;
mod index;
mod storage;

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{Adapter, AdapterHarness, Capabilities, Harness};
use ees_core::adapter::Index;
use ees_core::indexer::Indexer;

pub(crate) use storage::EventualStorage;

struct Eventual(Arc<EventualStorage>);

#[async_trait]
impl Harness for Eventual {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: false,
            orders_at_commit: false,
            max_changeset_bytes: EventualStorage::MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let storage = Arc::new(EventualStorage::with_lag(3));
        for _ in 0..2 {
            tokio::spawn(keep_indexing(Arc::downgrade(&storage)));
        }
        Self(storage)
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.0))
    }

    async fn restart(&mut self) {
        *self = Self::start().await;
    }

    /// Indexes the committed changesets. Every third notification is lost: the sweep finds its
    /// changeset.
    async fn settle(&self) {
        let notified = self.0.notifications().into_iter().enumerate();
        let arrived = notified.filter(|(at, _)| at % 3 != 2).map(|(_, key)| key);
        let mut indexer = Indexer::new(Arc::clone(&self.0) as Arc<dyn Index>);
        indexer.index(arrived).await.unwrap();
        sweep(&mut indexer).await;
        self.0.catch_up();
    }
}

impl AdapterHarness for Eventual {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.0.clone()
    }
}

/// One of several concurrent workers: indexes the notified changesets until the storage is dropped.
/// It begins when the first reader waits for a wake-up. Until then only `settle` assigns positions.
async fn keep_indexing(storage: Weak<EventualStorage>) {
    while let Some(storage) = storage.upgrade() {
        let notified = if storage.is_waited_for() {
            storage.notifications()
        } else {
            Vec::new()
        };
        if !notified.is_empty() {
            let mut indexer = Indexer::new(Arc::clone(&storage) as Arc<dyn Index>);
            // A closed storage refuses. The sweep finds all other remaining changesets.
            let _ = indexer.index(notified).await;
            storage.announce();
        }
        drop(storage);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Runs a whole sweep.
async fn sweep(indexer: &mut Indexer) {
    let mut after = None;
    loop {
        let swept = indexer.sweep_page(after.as_ref()).await.unwrap();
        assert_eq!(swept.done.refused, []);
        after = swept.next;
        if after.is_none() {
            return;
        }
    }
}

ees_conformance::adapter_suite!(Eventual, mod suite);
