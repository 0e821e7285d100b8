//! An adapter of the Elastic Event Store over [fjall](https://docs.rs/fjall), an embedded key-value
//! store whose keys and values are bytes.

mod checkpoints;
mod database;
mod error;
mod identity;
mod keys;
mod opening;
mod rows;
mod statistics;
mod storage;
mod writer;

pub use opening::OpenError;
pub use storage::FjallStorage;
