//! The suite's own tests: its lists are complete, it can fail, and it disturbs nobody.

// A test says what is wrong by panicking.
#![allow(clippy::expect_used)]

mod broken;
mod lists;
mod neighbours;
