//! One connection: its handshake, its protocol and its limits.

use std::pin::Pin;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

use super::answering::Answering;
use super::limits::ServerLimits;
use super::moved::Moved;
use super::socket;
use crate::clients::Client;
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// A client's stream, whose writes have a limit in time.
type Stream = Pin<Box<TimeoutStream<Moved>>>;

/// How the connections of a server are answered.
#[derive(Clone)]
pub(super) struct Connection {
    router: Router,
    limits: ServerLimits,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

impl Connection {
    pub(super) fn new(router: Router, limits: ServerLimits) -> Self {
        Self {
            router,
            limits,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    #[cfg(feature = "tls")]
    pub(super) fn with_tls(self, tls: Tls) -> Self {
        Self {
            tls: Some(tls),
            ..self
        }
    }

    pub(super) fn limits(&self) -> ServerLimits {
        self.limits.clone()
    }

    /// Answers what comes on a connection, until it ends.
    pub(super) async fn answer(self, stream: TcpStream, client: Client, watcher: Watcher) {
        socket::prepare(&stream);
        #[cfg(feature = "tls")]
        let is_plain = self.tls.is_none();
        #[cfg(not(feature = "tls"))]
        let is_plain = true;
        let mut stream = TimeoutStream::new(Moved::new(stream, client.clone(), is_plain));
        stream.set_write_timeout(Some(self.limits.write_timeout));
        let stream: Stream = Box::pin(stream);
        #[cfg(feature = "tls")]
        if let Some(tls) = self.tls.clone() {
            // Boxed, as a connection without TLS would be as large otherwise.
            return Box::pin(tls::answer(self, &tls, stream, client, watcher)).await;
        }
        self.http1(stream, client, watcher).await;
    }

    async fn http1<S>(self, stream: S, client: Client, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let max_header_bytes = self.limits.max_header_bytes;
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(max_header_bytes)
            .serve_connection(TokioIo::new(stream), self.answering(client));
        told(watcher.watch(connection).await);
    }

    fn answering(self, client: Client) -> Answering {
        let router = self.router;
        Answering { router, client }
    }
}

fn told(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Connections over TLS.
#[cfg(feature = "tls")]
mod tls {
    use std::time::Duration;

    use hyper::server::conn::http2;
    use hyper_util::rt::TokioExecutor;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::server::TlsStream;

    use super::{
        Client, Connection, ServerLimits, Stream, Tls, TokioIo, TokioTimer, Watcher, told,
    };
    use crate::clients::Step;

    /// How many requests may run at the same time on a connection of HTTP/2.
    const MAX_STREAMS: u32 = 128;

    /// A connection of HTTP/2 whose client does not answer a ping within this time is closed.
    const PING: Duration = Duration::from_secs(20);

    pub(super) async fn answer(
        server: Connection,
        tls: &Tls,
        stream: Stream,
        client: Client,
        watcher: Watcher,
    ) {
        let handshake = TlsAcceptor::from(tls.config()).accept(stream);
        match tokio::time::timeout(server.limits.handshake_timeout, handshake).await {
            Ok(Ok(stream)) => match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => http2(server, stream, client, watcher).await,
                _ => server.http1(stream, client, watcher).await,
            },
            Ok(Err(error)) => tracing::debug!(%error, "a handshake of TLS failed"),
            Err(_) => tracing::debug!("a handshake of TLS took too long"),
        }
    }

    async fn http2(
        server: Connection,
        stream: TlsStream<Stream>,
        client: Client,
        watcher: Watcher,
    ) {
        let limits = server.limits();
        let max_header_bytes = u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX);
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(max_header_bytes)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .serve_connection(TokioIo::new(stream), server.answering(client.clone()));
        tokio::select! {
            ended = watcher.watch(connection) => told(ended),
            () = rests(&client, &limits) => {}
        }
    }

    /// Resolves when a client has asked for nothing for too long, or takes nothing of an answer. Its
    /// connection moves bytes all the same, as it answers pings.
    async fn rests(client: &Client, limits: &ServerLimits) {
        let mut asked = client.asked();
        let mut idle = Duration::ZERO;
        let pause = limits.write_timeout.min(limits.header_timeout) / 4;
        while idle < limits.header_timeout && client.waited(Step::Take) < limits.write_timeout {
            tokio::time::sleep(pause).await;
            let now = client.asked();
            let is_idle = now == asked && client.is_idle();
            idle = if is_idle {
                idle + pause
            } else {
                Duration::ZERO
            };
            asked = now;
        }
    }
}
