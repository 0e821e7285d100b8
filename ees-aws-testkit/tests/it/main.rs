//! The local AWS, against programs that misbehave in every way.
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod binary;
mod filters;
mod function;
mod gateway;
mod mappings;
mod retrying;
mod services;
mod stack;
mod template;
