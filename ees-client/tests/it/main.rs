//! The client against a server that misbehaves as it is told.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod cases;
mod scripted;
