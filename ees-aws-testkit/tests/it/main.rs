//! The local AWS, against programs that misbehave in every way.
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod function;
mod template;
