//! The service over a store in memory, and the guides that show its code.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used)]

mod commands;
mod consuming;
mod guides;
mod lossy;
mod modelling;
mod projecting;

use std::sync::Arc;

use ees_core::EventStore;
use ees_memory::MemoryStorage;
use ees_model::Streams;
use order_service::Order;

/// An empty store, for one test alone.
fn store() -> EventStore {
    EventStore::new(Arc::new(MemoryStorage::new()))
}

/// The orders in a store.
fn orders(store: &EventStore) -> Streams<Order> {
    Streams::new(store)
}
