//! The accept loop, with limits against slow and greedy clients.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

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
        let connection = connection(stream, &router, &limits, &graceful);
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

/// Answers what comes on a connection, until it ends.
fn connection(
    stream: TcpStream,
    router: &Router,
    limits: &ServerLimits,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + 'static {
    // Answers are written whole, so waiting to fill packets only delays them.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.max_header_bytes)
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            TowerToHyperService::new(router.clone()),
        );
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke");
        }
    }
}
