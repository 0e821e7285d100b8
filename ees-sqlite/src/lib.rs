#![doc = include_str!("../README.md")]

mod backup;
mod beside;
mod checkpoints;
mod client_keys;
mod config;
mod consumers;
mod error;
mod event_search;
mod filtered;
mod identity;
mod jobs;
mod known;
mod lock;
mod migrations;
mod opening;
mod readers;
mod reads;
mod regroup;
mod restore;
mod rows;
mod statistics;
mod storage;
mod threads;
mod writer;
mod writer_thread;

pub use backup::{Backup, BackupError, backup};
pub use config::{ConfigError, SqliteConfig};
pub use error::OpenError;
pub use restore::{Replaced, RestoreError, Restored, restore};
pub use storage::SqliteStorage;
