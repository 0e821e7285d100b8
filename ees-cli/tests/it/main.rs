//! The `ees` binary and the server in it, from outside.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alerts;
mod browser;
mod check;
mod clients;
#[cfg(feature = "otlp")]
mod collector;
mod conformance;
mod consumers;
mod crash;
mod event_streams;
mod evidence;
#[cfg(all(target_os = "linux", feature = "jemalloc"))]
mod greedy;
mod guides;
mod health;
mod http;
mod keys;
mod metrics;
#[cfg(feature = "otlp")]
mod metrics_sent;
mod moving;
mod packaging;
mod process;
mod proxies;
mod readme;
mod serving;
mod tls;
#[cfg(feature = "otlp")]
mod traces;
mod writers;
