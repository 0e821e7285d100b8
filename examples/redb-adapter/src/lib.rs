#![doc = include_str!("../README.md")]

mod error;
mod rows;
mod schema;
mod state;
mod storage;
mod writer;

pub use error::OpenError;
pub use storage::RedbStorage;
