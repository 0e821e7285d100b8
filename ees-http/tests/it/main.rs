//! What a black box cannot show: a storage that fails, too much at once, clients that do not play
//! by the rules, and the way down.
// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod clients;
mod event_streams;
mod fairness;
mod faults;
mod greedy;
mod held_back;
#[cfg(feature = "tls")]
mod http2;
mod limits;
mod log;
mod messages;
mod pages;
mod support;
