//! The core from outside, over fakes.
// A test reports a failure by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod consuming;
mod eventual;
mod front_door;
mod group_commit;
mod indexing;
mod looks;
mod projecting;
mod proof;
mod reading;
mod sets;
mod stopped_writer;
mod watching;
mod working;
