#![doc = include_str!("../README.md")]

mod checkpoints;
mod database;
mod error;
mod identity;
mod opening;
mod rows;
mod schema;
mod statistics;
mod storage;
mod writer;

pub use error::OpenError;
pub use storage::RedbStorage;
