#![doc = include_str!("../README.md")]

mod emulator;
mod proxy;
mod shards;

pub use emulator::Emulator;
pub use proxy::{Call, Fate, Plan, Proxy};
pub use shards::{SKIPPED, Shards};
