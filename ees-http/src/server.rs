//! The accept loop, with limits against slow and greedy clients.

mod answering;
mod connection;
mod limits;
mod moved;
mod socket;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::clients::{Clients, Step};
#[cfg(feature = "tls")]
use crate::tls::Tls;
use connection::Connection;

pub use limits::ServerLimits;

/// How long a connection that cannot be accepted waits until that is tried again.
const PAUSE: Duration = Duration::from_millis(100);

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
    let clients = Clients::default();
    let graceful = GracefulShutdown::new();
    let cut = CancellationToken::new();
    let _cut_in_the_end = cut.clone().drop_guard();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections, &clients) => accepted?,
            () = shutdown.cancelled() => break,
        };
        let (stream, permit) = accepted;
        let connects = clients.connect(cut.child_token());
        let (client, watcher) = (connects.client.clone(), graceful.watcher());
        let connection = connection.clone().answer(stream, client, watcher);
        tokio::spawn(async move {
            let cut = connects.client.cut();
            let _ = cut.run_until_cancelled_owned(connection).await;
            drop((connects, permit));
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
    clients: &Clients,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, place(connections, clients).await?)),
            // The client has gone, or files have run out for a moment: neither ends the server.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                clients.cut_longest(Step::Ask);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// A place for a connection. While there is none, the client that has made no progress for longest is
/// cut off: one that asks for nothing, or one that does not send its body or take its answer.
async fn place(
    connections: &Arc<Semaphore>,
    clients: &Clients,
) -> io::Result<OwnedSemaphorePermit> {
    loop {
        if let Ok(place) = Arc::clone(connections).try_acquire_owned() {
            return Ok(place);
        }
        let mut steps = [Step::Ask, Step::Send, Step::Take].into_iter();
        steps.any(|step| clients.cut_longest(step));
        let free = Arc::clone(connections).acquire_owned();
        if let Ok(place) = tokio::time::timeout(PAUSE, free).await {
            return place.map_err(io::Error::other);
        }
    }
}
