//! The suite's own tests: its lists are complete, it can fail, and it disturbs nobody.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(feature = "cli")]
mod binary;
mod broken;
#[cfg(feature = "cli")]
mod cli;
mod crashing;
#[cfg(all(feature = "cli", feature = "https", feature = "sigv4"))]
mod gateway;
mod lists;
mod neighbours;
