//! The console, as a client of HTTP sees it.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod actions;
mod evidence;
mod support;
mod telling;
