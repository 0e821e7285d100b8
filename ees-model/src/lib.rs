#![doc = include_str!("../README.md")]

pub mod testing;

mod cache;
mod decider;
mod error;
mod loaded;
mod patience;
mod projection;
mod recorded;
mod snapshots;
mod store;
mod streams;
mod upcast;

pub use decider::Decider;
pub use error::Error;
pub use loaded::Loaded;
pub use projection::{Projecting, Projection};
pub use recorded::Recorded;
pub use snapshots::{MemorySnapshots, Snapshot, SnapshotError, Snapshots};
pub use store::{Batches, Outcome, SetOutcome, Store};
pub use streams::{Done, Executed, Streams};
pub use upcast::{Upcast, Upcasts};
