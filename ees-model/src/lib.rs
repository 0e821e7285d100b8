#![doc = include_str!("../README.md")]

mod decider;
mod error;
mod loaded;
mod patience;
mod store;
mod streams;

pub use decider::Decider;
pub use error::Error;
pub use loaded::Loaded;
pub use store::{Batches, Outcome, SetOutcome, Store};
pub use streams::{Executed, Streams};
