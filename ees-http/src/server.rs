//! The accept loop, with limits against slow and greedy clients.

mod connection;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "tls")]
use crate::tls::Tls;
use connection::Connection;

/// The limits of the server on its connections.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerLimits {
    /// The number of connections that may be open. Further ones wait to be accepted.
    pub max_connections: usize,
    /// The size of a request line with its headers, in bytes, that is always accepted. Above about
    /// twice this size they are always refused. More than 100 headers are refused as well.
    pub max_header_bytes: usize,
    /// The longest time for a client to send a request line with its headers, and for a connection
    /// to be idle.
    pub header_timeout: Duration,
    /// The longest time for a client to finish the handshake of TLS.
    pub handshake_timeout: Duration,
    /// The longest time that a client may read nothing while an answer is sent to it.
    pub write_timeout: Duration,
    /// The longest time that requests may take after the shutdown has begun.
    pub shutdown_timeout: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            max_connections: 8192,
            max_header_bytes: 32 * 1024,
            // Longer than the minute that proxies keep idle connections for.
            header_timeout: Duration::from_secs(75),
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(35),
        }
    }
}

/// Serves until `shutdown` is cancelled. It then accepts no more connections and requests, and
/// returns when every accepted request has been answered, at the latest after
/// [`ServerLimits::shutdown_timeout`]. Connections that are still open then are closed, as they are
/// when the future is dropped.
///
/// Pass a clone of [`Options::closing`](crate::Options::closing) as `shutdown`, so that waiting long
/// polls end too.
///
/// # Errors
/// [`io::Error`] if the listener cannot accept connections any more.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let connection = Connection::new(router, limits);
    serve_connections(listener, connection, shutdown).await
}

/// As [`serve`], over TLS: HTTP/2 for clients that offer it, otherwise HTTP/1.1.
///
/// # Errors
/// As for [`serve`]. A handshake that fails ends only its connection.
#[cfg(feature = "tls")]
pub async fn serve_tls(
    listener: TcpListener,
    tls: Tls,
    router: Router,
    limits: ServerLimits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let connection = Connection::new(router, limits).with_tls(tls);
    serve_connections(listener, connection, shutdown).await
}

async fn serve_connections(
    listener: TcpListener,
    connection: Connection,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let limits = connection.limits();
    let connections = Arc::new(Semaphore::new(limits.max_connections));
    let graceful = GracefulShutdown::new();
    let cut = CancellationToken::new();
    let _cut_in_the_end = cut.clone().drop_guard();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted?,
            () = shutdown.cancelled() => break,
        };
        let (stream, permit) = accepted;
        let connection = connection.clone().answer(stream, graceful.watcher());
        let cut = cut.clone();
        tokio::spawn(async move {
            let _ = cut.run_until_cancelled_owned(connection).await;
            drop(permit);
        });
    }
    drop(listener);
    let finished = tokio::time::timeout(limits.shutdown_timeout, graceful.shutdown()).await;
    if finished.is_err() {
        tracing::warn!("some clients did not finish in time; their connections are cut");
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await;
    let permit = permit.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, permit)),
            // The client has gone, or files have run out for a moment: neither ends the server.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
