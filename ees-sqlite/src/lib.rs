#![doc = include_str!("../README.md")]

mod backup;
mod checkpoints;
mod config;
mod error;
mod lock;
mod opening;
mod rows;
mod statistics;
mod storage;
mod writer;

pub use backup::{Backup, BackupError, backup};
pub use config::{ConfigError, SqliteConfig};
pub use error::OpenError;
pub use storage::SqliteStorage;
