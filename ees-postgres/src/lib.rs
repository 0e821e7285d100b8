#![doc = include_str!("../README.md")]

mod config;
mod error;
mod readers;
mod rows;
mod schema;
mod session;
mod state;
mod storage;
mod wake;
mod writer;

pub use config::{ConfigError, PostgresConfig};
pub use error::OpenError;
pub use storage::PostgresStorage;
