//! A connection's stream, which tells when it moves a byte.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::clients::Client;

/// How long the rest of a body may lie in memory, after the client has sent its last byte, until it is
/// read.
const GRACE: Duration = Duration::from_secs(1);

/// A connection's stream, which tells its client's progress. It shows the end of what the client sends
/// once the requests before it are answered: the connection would be closed at once otherwise.
#[derive(Debug)]
pub(super) struct Moved {
    stream: TcpStream,
    client: Client,
    /// Whether the end is shown late. It is not with TLS, which has an end of its own.
    is_late: bool,
    /// Set at the end of what the client sends.
    end: Option<Pin<Box<Sleep>>>,
}

impl Moved {
    pub(super) fn new(stream: TcpStream, client: Client, is_late: bool) -> Self {
        Self {
            stream,
            client,
            is_late,
            end: None,
        }
    }

    /// Shows the end, unless a request that was sent whole is being answered. The connection is polled
    /// again when that has happened.
    fn show_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_late && self.client.is_answered() {
            let is_received = self.client.is_received();
            let grace = self.end.as_mut().filter(|_| is_received);
            let Some(grace) = grace else {
                return Poll::Pending;
            };
            ready!(grace.as_mut().poll(cx));
        }
        Poll::Ready(Ok(()))
    }

    fn tell(&self, written: io::Result<usize>) -> Poll<io::Result<usize>> {
        if written.as_ref().is_ok_and(|bytes| *bytes > 0) {
            self.client.moved();
        }
        Poll::Ready(written)
    }
}

impl AsyncRead for Moved {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.is_some() {
            return self.show_end(cx);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let read = buffer.filled().len() - before;
        if read == 0 && buffer.remaining() > 0 {
            self.client.half_close();
            self.end = Some(Box::pin(sleep(GRACE)));
            return self.show_end(cx);
        }
        self.tell(Ok(read)).map_ok(drop)
    }
}

impl AsyncWrite for Moved {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        self.tell(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices));
        self.tell(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
