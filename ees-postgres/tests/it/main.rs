//! The PostgreSQL adapter: the conformance suite, and what only a database server can get wrong.
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod crash;
mod gaps;
mod moving;
mod opening;
mod outages;
mod proxy;
mod restoring;
mod servers;
mod silence;
mod support;
mod tls;
