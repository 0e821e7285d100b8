#![doc = include_str!("../README.md")]

mod adapter;
mod error;
mod fence;
mod open;
mod publisher;
mod redacted;

pub use adapter::Adapter;
pub use error::OpenError;
pub use fence::open_fence;
pub use open::{OpenStore, open, open_to_read};
pub use publisher::open_publisher;
pub use redacted::redacted;
