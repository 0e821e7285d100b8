#![doc = include_str!("../README.md")]

mod config;
mod error;
mod publisher;

pub use config::{ConfigError, SnsConfig};
pub use publisher::SnsPublisher;
