//! The addresses that a server listens on.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use ees_http::{ServerLimits, Tls, serve, serve_tls};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, try_join};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::args::ServeArgs;

/// How many connections to `--metrics-listen` may be open.
const OPERATORS: usize = 64;

/// How many connections may wait to be accepted. Linux allows as many unless `net.core.somaxconn` says
/// otherwise; it drops a further one, whose client tries again a second later.
const BACKLOG: u32 = 4096;

/// The addresses that a server listens on.
pub(super) struct Listeners {
    pub(super) address: SocketAddr,
    clients: TcpListener,
    operators: Option<TcpListener>,
}

impl Listeners {
    pub(super) fn open(args: &ServeArgs) -> Result<Self, Failure> {
        let (clients, address) = listen("--listen", args.listen)?;
        let operators = match args.metrics_listen {
            Some(address) => Some(listen("--metrics-listen", address)?),
            None => None,
        };
        if let Some((_, address)) = &operators {
            tracing::info!("metrics and health checks are on http://{address}");
        }
        Ok(Self {
            address,
            clients,
            operators: operators.map(|(listener, _)| listener),
        })
    }

    /// Serves clients with the first router, and operators with the second.
    pub(super) fn serve(
        self,
        (clients, operators): (Router, Router),
        tls: Option<Tls>,
        limits: &ServerLimits,
        closing: &CancellationToken,
    ) -> BoxFuture<'static, io::Result<()>> {
        let closing = || closing.clone();
        let clients = match tls {
            None => serve(self.clients, clients, limits.clone(), closing()).boxed(),
            Some(tls) => serve_tls(self.clients, tls, clients, limits.clone(), closing()).boxed(),
        };
        let Some(listener) = self.operators else {
            return clients;
        };
        let mut limits = limits.clone();
        limits.max_connections = OPERATORS;
        let operators = serve(listener, operators, limits, closing());
        try_join(clients, operators)
            .map(|served| served.map(drop))
            .boxed()
    }
}

/// Listens with a longer queue of connections that wait to be accepted than is usual.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Windows this would let others take the address.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn listen(flag: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error: io::Error| {
        Failure::Listen(format!(
            "cannot listen on {address}: {error}; choose another with {flag}"
        ))
    };
    let listener = bind(address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
