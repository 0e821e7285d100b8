//! What the looks of consumers read of the storage.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ees_core::consumer::ConsumerDefinition;
use ees_core::{Checkpoint, Filter, GlobalPage, PageLimit, StorageError};

use super::scene::{Scene, ids, listed};
use crate::faults::{Fault, Faulty};
use crate::{Adapter, ConsumerHarness};

/// A storage that notes the streams of what is read, and whose pages a case limits.
struct Noting {
    streams: Mutex<Vec<String>>,
    page: AtomicUsize,
}

impl Default for Noting {
    fn default() -> Self {
        Self {
            streams: Mutex::default(),
            page: AtomicUsize::new(usize::MAX),
        }
    }
}

impl Noting {
    fn limit(&self, limit: PageLimit) -> PageLimit {
        let items = limit.items.min(self.page.load(Ordering::Relaxed));
        PageLimit { items, ..limit }
    }

    fn note(&self, page: &GlobalPage) {
        let streams = page.changesets.iter();
        let streams = streams.map(|changeset| changeset.stream_id.to_string());
        self.streams.lock().expect("no panic").extend(streams);
    }
}

#[async_trait]
impl Fault for Noting {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let page = inner.read_global(from, self.limit(limit)).await?;
        self.note(&page);
        Ok(page)
    }

    async fn read_filtered(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
        filter: &Filter,
    ) -> Option<Result<GlobalPage, StorageError>> {
        let page = inner.read_filtered(from, self.limit(limit), filter).await;
        Some(page.inspect(|page| self.note(page)))
    }
}

fn orders(partitions: u16) -> ConsumerDefinition {
    ConsumerDefinition {
        stream_prefixes: vec!["order-".to_owned()],
        event_types: vec!["paid".to_owned()],
        partitions,
        ..ConsumerDefinition::default()
    }
}

/// The storage passes what a consumer's filter does not select: it is not read.
pub async fn what_a_filter_does_not_select_is_not_read(harness: &mut dyn ConsumerHarness) {
    let storage = Faulty::new(harness.storage(), Noting::default());
    let scene = Scene::over(storage.clone(), harness, &orders(3)).await;
    let streams = ["cart-1", "order-1", "order", "order-2", "cart-2", "order-1"];
    scene.commit(harness, &streams).await;
    let mut found = scene.drain(10).await;
    found.sort();
    let expected = listed(&[("order-1", 1), ("order-1", 2), ("order-2", 1)]);
    assert_eq!(found, expected, "G16: what its filter selects");
    let read = storage.fault().streams.lock().expect("no panic").clone();
    assert!(!read.is_empty(), "G16: something was read");
    let beyond = read.iter().find(|stream| !stream.starts_with("order-"));
    assert_eq!(beyond, None, "G15: only what the filter selects is read");
}

/// A batch that is given again is whole, however short the pages of the storage are by then.
pub async fn a_batch_is_given_again_whole(harness: &mut dyn ConsumerHarness) {
    let storage = Faulty::new(harness.storage(), Noting::default());
    let scene = Scene::over(storage.clone(), harness, &orders(1)).await;
    let streams = ["order-1", "order-2", "cart-1", "order-3", "cart-1"];
    scene.commit(harness, &streams).await;
    let first = scene.claimed(1).await;
    let ack = || scene.try_ack(&first, first.next, &[], Some(10));
    let next = ack().await.expect("G16: to acknowledge");
    let next = next.expect("G16: the next batch");
    assert_eq!(ids(&next), listed(&[("order-2", 1), ("order-3", 1)]));
    storage.fault().page.store(1, Ordering::Relaxed);
    let again = ack().await.expect("G16: a repeat");
    assert_eq!(again.as_ref(), Some(&next), "G16: the whole batch again");
    let failed = [("order-3", 1)];
    let acked = scene.try_ack(&next, next.next, &failed, None).await;
    acked.expect("G16: all of the batch can be named");
    assert_eq!(scene.drain(10).await, [], "G16: `order-3` is parked");
}
