//! A worker of a durable consumer whose projection is exactly-once in effect.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ees_core::consumer::{Claim, ConsumerDefinition};
use ees_core::{Checkpoint, EventStore};
use ees_memory::MemoryStorage;
use ees_model::{Projecting, Projection, Recorded};
use order_service::{Bills, Command, UPCASTS};
use tempfile::TempDir;

use super::orders;

/// Three orders, for which 600 cents were paid together, and the consumer `billing`.
async fn filled() -> EventStore {
    let storage = Arc::new(MemoryStorage::new());
    let store = EventStore::new(Arc::clone(&storage)).with_consumers(storage);
    for number in 1..=3 {
        let stream = format!("order-{number}");
        let place = Command::Place { cents: 500 };
        let pay = Command::Pay {
            cents: number * 100,
        };
        orders(&store).execute(&stream, place).await.unwrap();
        orders(&store).execute(&stream, pay).await.unwrap();
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
    let bills = Bills::open(&file).unwrap();
    let shown = Bills::open(&file).unwrap();
    let work = async {
        let mut worker = Projecting::new(&store, "billing", bills)?;
        worker.run().await?;
        Ok::<(), Box<dyn Error>>(())
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
    let read = batch.changesets.iter().take(4);
    let read = read.map(|changeset| Recorded::read(changeset, UPCASTS));
    let read: Vec<_> = read.collect::<Result<_, _>>().unwrap();
    bills.apply(&read).await.unwrap();
    assert_eq!(bills.paid_cents().unwrap(), 300);
    let released = consumers.release(&name, batch.partition, batch.generation);
    released.await.unwrap();
    let mut worker = Projecting::new(&store, "billing", bills).unwrap();
    for _ in 0..2 {
        assert!(worker.step(Duration::ZERO).await.unwrap());
        assert_eq!(worker.projection().paid_cents().unwrap(), 600);
        // All of it is delivered again.
        consumers.reset(&name, Checkpoint::FIRST).await.unwrap();
    }
}
