//! A worker of a durable consumer whose handler is exactly-once in effect.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ees_core::consumer::{Claim, Consumer, ConsumerDefinition};
use ees_core::{Checkpoint, Error, EventStore};
use ees_memory::MemoryStorage;
use order_service::{Bills, handle, pay, place};
use tempfile::TempDir;

/// Three orders, for which 600 cents were paid together, and the consumer `billing`.
async fn filled() -> EventStore {
    let storage = Arc::new(MemoryStorage::new());
    let store = EventStore::new(Arc::clone(&storage)).with_consumers(storage);
    for number in 1..=3 {
        let stream = format!("order-{number}").parse().unwrap();
        let (placed, paid) = ("place".parse().unwrap(), "pay".parse().unwrap());
        handle(&store, &stream, &placed, |order| place(order, 500))
            .await
            .unwrap();
        handle(&store, &stream, &paid, |order| pay(order, number * 100))
            .await
            .unwrap();
    }
    let definition = ConsumerDefinition::default();
    let (consumers, name) = (store.consumers().unwrap(), "billing".parse().unwrap());
    assert!(consumers.define(&name, &definition).await.unwrap());
    store
}

#[tokio::test]
async fn a_worker_follows_the_store() {
    let store = filled().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bills.db");
    let mut bills = Bills::open(&file).unwrap();
    let shown = Bills::open(&file).unwrap();
    let work = async {
        let mut worker = Consumer::new(&store, "billing")?;
        worker.run(async |changeset| bills.apply(changeset)).await?;
        Ok::<(), Error>(())
    };
    let billed = async {
        while shown.paid_cents().unwrap() < 600 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        ended = work => panic!("it works for ever: {ended:?}"),
        () = billed => {}
    }
}

#[tokio::test]
async fn what_is_delivered_again_has_its_effect_once() {
    let store = filled().await;
    let (consumers, name) = (store.consumers().unwrap(), "billing".parse().unwrap());
    let mut bills = Bills::open(Path::new(":memory:")).unwrap();
    // It dies after a part of its batch, and does not acknowledge.
    let claimed = consumers.claim(&name, Claim::new("w1"), Duration::ZERO);
    let batch = claimed.await.unwrap().unwrap();
    for changeset in batch.changesets.iter().take(4) {
        bills.apply(changeset).unwrap();
    }
    assert_eq!(bills.paid_cents().unwrap(), 300);
    let released = consumers.release(&name, batch.partition, batch.generation);
    released.await.unwrap();
    for _ in 0..2 {
        let mut worker = Consumer::new(&store, "billing").unwrap();
        let delivered = worker.handle(Duration::ZERO, async |changeset| bills.apply(changeset));
        assert!(delivered.await.unwrap());
        assert_eq!(bills.paid_cents().unwrap(), 600);
        // All of it is delivered again.
        consumers.reset(&name, Checkpoint::FIRST).await.unwrap();
    }
}
