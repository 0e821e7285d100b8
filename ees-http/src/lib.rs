#![doc = include_str!("../README.md")]

mod admit;
mod answer;
mod app;
mod body;
mod codes;
mod context;
mod error;
mod error_body;
mod event_stream;
mod finish;
mod foreign;
mod gate;
mod json;
mod link;
mod openapi;
mod options;
mod page;
mod params;
mod permit;
mod pretty;
mod request;
mod routes;
#[cfg(feature = "server")]
mod server;
mod turned_away;

use axum::Router;
use ees_core::{EventStore, StorageError};

pub use codes::ERROR_CODES;
pub use options::Options;
#[cfg(feature = "server")]
pub use server::{ServerLimits, serve};

/// The contract, for any host. Call [`EventStore::identity`] first: the answers then carry the store's
/// id in the header `EES-Store`.
pub fn router(store: EventStore, options: Options) -> Router {
    routes::contract(routes::app(store, options))
}

/// The contract for a server that clients reach directly. It adds `/health/live` and
/// `/health/ready`, and it refuses writes that a browser sends for a web page of another site.
pub fn self_hosted_router(store: EventStore, options: Options) -> Router {
    routes::self_hosted(routes::app(store, options))
}

/// A router that answers every call with the same storage error: for a host whose storage could
/// not be opened yet.
pub fn failing_router(error: &StorageError) -> Router {
    routes::failing(error)
}

/// The OpenAPI 3.1 description of the contract, as JSON.
pub fn openapi_json() -> String {
    routes::description().to_owned()
}
