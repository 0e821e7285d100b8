//! How far the looks of consumers go, over the storage in memory.

use std::sync::Arc;
use std::time::Duration;

use ees_core::consumer::{Claim, ConsumerDefinition, ConsumerName, Consumers};
use ees_core::{EventStore, Events, Expectation, NewChangeset};
use ees_memory::MemoryStorage;

/// A store with a consumer of the streams that begin with `order-`.
struct World {
    store: EventStore,
    consumers: Consumers,
    name: ConsumerName,
    carts: u64,
}

impl World {
    async fn new() -> Self {
        let storage = Arc::new(MemoryStorage::new());
        let store = EventStore::new(Arc::clone(&storage)).with_consumers(storage);
        let consumers = store.consumers().unwrap();
        let name: ConsumerName = "billing".parse().unwrap();
        let definition = ConsumerDefinition {
            stream_prefixes: vec!["order-".to_owned()],
            ..ConsumerDefinition::default()
        };
        consumers.define(&name, &definition).await.unwrap();
        Self {
            store,
            consumers,
            name,
            carts: 0,
        }
    }

    async fn commit(&self, stream: &str, last: u64) {
        let events = Events::parse("[1]").unwrap();
        let expectation = Expectation::LastChangeset(last);
        let asked = NewChangeset::new(stream.parse().unwrap(), expectation, events);
        self.store.commit(asked).await.unwrap();
    }

    /// Commits what the consumer does not get.
    async fn commit_carts(&mut self, count: u64) {
        for _ in 0..count {
            self.commit("cart-1", self.carts).await;
            self.carts += 1;
        }
    }

    async fn checkpoint(&self) -> u64 {
        let report = self.consumers.report(&self.name).await.unwrap();
        report.partitions[0].checkpoint.get()
    }

    async fn claims(&self) -> bool {
        let claimed = self
            .consumers
            .claim(&self.name, Claim::new("w"), Duration::ZERO);
        claimed.await.unwrap().is_some()
    }
}

#[tokio::test]
async fn an_empty_look_writes_where_it_is_after_1000_changesets_or_at_its_end() {
    let mut world = World::new().await;
    let claiming = world.consumers.claiming(&world.name, Claim::new("w"));
    world.commit_carts(999).await;
    assert!(claiming.look().await.unwrap().is_none());
    assert_eq!(world.checkpoint().await, 0, "not yet");
    world.commit_carts(1).await;
    assert!(claiming.look().await.unwrap().is_none());
    assert_eq!(world.checkpoint().await, 1000, "after 1000");
    world.commit_carts(3).await;
    assert!(claiming.look().await.unwrap().is_none());
    assert_eq!(world.checkpoint().await, 1000, "not yet");
    claiming.give_up().await.unwrap();
    assert_eq!(world.checkpoint().await, 1003, "at its end");
}

#[tokio::test]
async fn one_look_passes_at_most_10_000_changesets() {
    let mut world = World::new().await;
    world.commit_carts(10_500).await;
    world.commit("order-1", 0).await;
    assert!(!world.claims().await, "the first look ends");
    let reached = world.checkpoint().await;
    assert_eq!(reached, 10_000, "it has moved on");
    assert!(world.claims().await, "the second finds it");
}
