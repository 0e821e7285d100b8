#![doc = include_str!("../README.md")]

pub mod admin;
mod attempts;
mod batch;
mod cache;
mod commit;
mod config;
mod error;
mod follower;
mod index;
mod items;
mod opening;
mod record;
mod scan;
mod state;
mod storage;
mod sweep;
mod tables;
mod voids;

pub mod schema;

pub use admin::Admin;
pub use config::{ConfigError, DynamoConfig, IndexNames};
pub use ees_aws::{Place, SdkConfig};
pub use error::OpenError;
pub use follower::Follower;
pub use record::CommitRecord;
pub use storage::DynamoStorage;
