#![doc = include_str!("../README.md")]

mod answers;
mod authorize;
mod batches;
mod client;
mod commit;
mod consumers;
mod error;
mod follow;
mod http;
mod item;
mod model;
#[cfg(feature = "model")]
mod modelled;
mod place;
mod read;
mod request;
mod settings;
#[cfg(feature = "sigv4")]
mod sigv4;
mod sse;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
mod wire;
mod worker;

pub use authorize::{Authorize, AuthorizeError};
pub use client::{Builder, EventStore, Results};
pub use consumers::{ConsumerReport, Parked, PartitionReport};
pub use error::{Answered, Error, Unfinished};
pub use follow::{Batch, Follow, Start};
pub use item::Item;
pub use model::{Changeset, Committed, CommittedSet, Conflict, Event};
pub use read::{GlobalRead, StreamRead};
pub use settings::Retry;
#[cfg(feature = "sigv4")]
pub use sigv4::SigV4;
pub use worker::Worker;
// The types of arguments.
pub use ees_core::consumer::{ConsumerDefinition, ConsumerName};
pub use ees_core::{
    Check, Checkpoint, CommitId, Direction, EventCheckpoint, Events, Expectation, Filter, Json,
    NewChangeset, NewSet, PayloadError, StoreId, StreamId,
};
