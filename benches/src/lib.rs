//! What the benchmarks share.
// A benchmark that cannot go on has nothing to say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

pub mod client;
pub mod dynamodb;
pub mod load;
pub mod report;
pub mod server;
