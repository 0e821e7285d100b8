//! The SQLite adapter: the conformance suite, and what only a file can get wrong.
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backup;
mod breaking;
mod conformance;
mod crash;
mod damaging;
mod flips;
mod lost;
mod moving;
mod opening;
mod power;
mod power_moving;
mod versions;
