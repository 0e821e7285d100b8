//! The binary itself, driven as Lambda drives it, and the template that deploys it.
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod commits_off;
mod deployment;
mod importing;
mod indexing;
mod publishing;
mod redriving;
mod sealing;
mod smoke;
mod stack;
mod starting;
mod statistics;
mod stream;
mod sweeping;
mod template;
mod test_store;
