#![doc = include_str!("../README.md")]

mod answer;
mod body;
mod error;
mod finish;
mod foreign;
mod gate;
mod openapi;
mod page;
mod params;
mod pretty;
mod routes;
#[cfg(feature = "server")]
mod server;

use std::time::Duration;

use axum::Router;
use ees_core::{EventStore, StorageError};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "server")]
pub use server::{ServerLimits, serve};

/// How a host wants the contract to be served.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long a request may take, its body included; longer than the longest `wait`, which is
    /// 20 seconds.
    pub request_timeout: Duration,
    /// How many requests may run at once, until their answers are taken; more are told to come
    /// back. As many long polls read and are answered at once; more wait for their turn.
    pub max_requests: usize,
    /// How many long polls there may be at once, besides.
    pub max_waiting: usize,
    /// How many bytes of request bodies may be held at once.
    pub max_buffered_bytes: usize,
    /// Ends waiting long polls when it is cancelled, as a shutdown does.
    pub closing: CancellationToken,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            max_requests: 512,
            max_waiting: 4096,
            max_buffered_bytes: 256 * 1024 * 1024,
            closing: CancellationToken::new(),
        }
    }
}

/// The contract that every host serves.
pub fn router(store: EventStore, options: Options) -> Router {
    routes::contract(routes::App::new(store, options), false)
}

/// The contract, and what only a server of one's own has: `/health/live`, `/health/ready`, and a
/// refusal of what a browser sends for another site's web page.
pub fn self_hosted_router(store: EventStore, options: Options) -> Router {
    routes::self_hosted(routes::App::new(store, options))
}

/// Answers every call as one whose storage failed so: for a host that could not open it yet.
pub fn failing_router(error: &StorageError) -> Router {
    routes::failing(error)
}

/// The OpenAPI 3.1 description of the contract, as JSON.
pub fn openapi_json() -> String {
    openapi::json().to_owned()
}
