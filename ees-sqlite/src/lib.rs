#![doc = include_str!("../README.md")]

mod backup;
mod config;
mod error;
mod lock;
mod rows;
mod schema;
mod state;
mod storage;
mod writer;

pub use backup::{Backup, BackupError, backup};
pub use config::{ConfigError, SqliteConfig};
pub use error::OpenError;
pub use storage::SqliteStorage;
