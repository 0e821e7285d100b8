//! Servers in the same process.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use ees_core::EventStore;
use ees_http::{Options, ServerLimits, self_hosted_router, serve};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use benches_kit::client::clients;

/// Serves a router on a free port.
pub async fn start(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = ServerLimits::default();
    tokio::spawn(serve(listener, router, limits, CancellationToken::new()));
    address
}

/// Serves the contract on a SQLite file.
pub async fn start_sqlite(path: &Path) -> SocketAddr {
    let storage = SqliteStorage::open(&SqliteConfig::new(path)).await.unwrap();
    start(contract(EventStore::new(Arc::new(storage)))).await
}

/// The contract as `ees serve` offers it.
pub fn contract(store: EventStore) -> Router {
    self_hosted_router(store, Options::default())
}
