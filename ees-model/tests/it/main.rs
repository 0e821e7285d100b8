//! Deciders over a store in memory.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used)]

mod account;
mod deciding;
mod executing;
mod projecting;
mod properties;
mod snapshots;
mod together;
mod upcasting;
mod watched;
