//! The code that the benchmarks share.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

pub use benches_kit::{chart, client, load, process, report};

pub mod dynamodb;
pub mod fill;
pub mod growth;
pub mod in_process;
pub mod server;
