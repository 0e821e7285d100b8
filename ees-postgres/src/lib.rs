#![doc = include_str!("../README.md")]

mod checkpoints;
mod config;
mod consumers;
mod error;
mod exclusive;
mod fence;
mod filtered;
mod identity;
mod import;
mod log;
mod opening;
mod readers;
mod rows;
mod session;
mod statistics;
mod storage;
mod voids;
mod wake;
mod writer;

pub use config::{ConfigError, PostgresConfig};
pub use error::OpenError;
pub use storage::PostgresStorage;
