#![doc = include_str!("../README.md")]
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

#[macro_use]
mod list;

pub mod cases;
pub mod history;
pub mod model;
pub mod subject;

mod harness;
mod support;

#[cfg(feature = "http")]
pub use harness::HttpHarness;
pub use harness::{Adapter, AdapterHarness, Capabilities, Harness, run};
pub use list::Case;
