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

/// An empty store, for one test alone.
fn store() -> EventStore {
    EventStore::new(Arc::new(MemoryStorage::new()))
}
