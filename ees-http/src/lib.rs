#![doc = include_str!("../README.md")]

mod access;
mod admit;
mod answer;
mod app;
mod body;
mod browser;
mod clients;
mod codes;
mod consumer_metrics;
mod context;
mod error;
mod error_body;
mod event_stream;
mod finish;
mod foreign;
mod gate;
mod held_back;
mod hosts;
mod json;
mod link;
mod log_error;
mod long_work;
mod measure;
mod measured;
mod openapi;
mod options;
mod page;
mod params;
mod permit;
mod pieces;
mod pretty;
mod request;
mod room;
mod routes;
#[cfg(feature = "server")]
mod server;
mod set_body;
mod tile_path;
#[cfg(feature = "tls")]
mod tls;
mod turned_away;

use axum::Router;
use ees_core::{EventStore, StorageError};

pub use access::{Authorizer, Caller, Right, Unauthorized};
/// The head of a request, which an [`Authorizer`] looks at.
pub use axum::http::request::Parts as RequestParts;
pub use browser::BrowserPages;
pub use codes::ERROR_CODES;
pub use hosts::Hosts;
pub use measure::MetricsText;
pub use measured::Measured;
pub use options::Options;
pub use pretty::pretty as pretty_json;
#[cfg(feature = "tls")]
pub use server::serve_tls;
#[cfg(feature = "server")]
pub use server::{ServerLimits, serve};
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsError, TlsFiles};

/// The contract, for any host. Call [`EventStore::identity`] first: the answers then carry the store's
/// id in the header `EES-Store`.
pub fn router(store: EventStore, options: Options) -> Router {
    routes::contract(routes::app(store, options))
}

/// The contract for a server that clients reach directly. It adds `/health/live`, `/health/ready` and
/// `/metrics`, and it refuses writes that a browser sends for a web page of another site.
pub fn self_hosted_router(store: EventStore, options: Options) -> Router {
    routes::self_hosted(routes::app(store, options))
}

/// What a server has whose operators have a listener of their own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SelfHosted {
    /// The router of [`self_hosted_router`].
    pub clients: Router,
    /// `/metrics` and the health calls alone, without asking for authority: for a listener that only
    /// operators reach.
    pub operators: Router,
    /// What `/metrics` answers, for who sends metrics instead of being asked for them.
    pub metrics: Measured,
}

/// As [`self_hosted_router`], with what a listener for operators needs. `hosts` are those that it
/// serves; see [`Options::hosts`].
pub fn self_hosted_routers(
    store: EventStore,
    options: Options,
    hosts: Option<Hosts>,
) -> SelfHosted {
    let app = routes::app(store, options);
    SelfHosted {
        clients: routes::self_hosted(app.clone()),
        operators: routes::operations(app.clone(), hosts),
        metrics: Measured::new(app),
    }
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
