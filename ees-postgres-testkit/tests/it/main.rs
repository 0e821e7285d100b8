//! The test kit, tested with itself.
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod leftovers;
mod sharing;
