#![doc = include_str!("../README.md")]
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

pub mod cases;
pub mod history;
pub mod model;
pub mod subject;

mod harness;

#[cfg(feature = "http")]
pub use harness::HttpHarness;
pub use harness::{Adapter, AdapterHarness, Capabilities, Harness, run};
