#![doc = include_str!("../README.md")]

pub mod admin;
mod attempts;
mod cache;
mod checkpoints;
mod client_keys;
mod commit;
mod config;
mod consumers;
mod error;
mod event_range;
mod fetched_size;
mod follower;
mod identity;
mod import;
mod import_state;
mod index;
mod index_page;
mod index_state;
mod items;
mod layout;
mod log;
mod opening;
mod record;
mod sets;
mod statistics;
mod storage;
mod stored_state;
mod sweep;
mod tables;
mod voids;

pub mod schema;

pub use admin::Admin;
pub use config::{ConfigError, DynamoConfig, IndexNames};
pub use ees_aws::{Endpoint, SdkConfig};
pub use error::OpenError;
pub use follower::Follower;
pub use layout::IndexPageSize;
pub use record::CommitRecord;
pub use storage::DynamoStorage;
