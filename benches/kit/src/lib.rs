//! What all benchmarks share, those outside the workspace too. It links no storage: one program can have
//! only one version of SQLite.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

pub mod chart;
pub mod client;
pub mod load;
pub mod process;
pub mod report;
