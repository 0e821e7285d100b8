//! The suite's own tests: its lists are complete, it can fail, and it disturbs nobody.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broken;
#[cfg(feature = "cli")]
mod cli;
mod lists;
mod neighbours;
