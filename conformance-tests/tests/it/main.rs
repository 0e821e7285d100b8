//! The suite's own tests: its lists are complete, and it can fail.

// A test says what is wrong by panicking.
#![allow(clippy::expect_used)]

mod broken;
mod lists;
