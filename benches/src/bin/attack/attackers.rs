//! Clients that take more than their share.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;

use benches::process::Process;

/// Attackers, each with a connection that sends and receives nothing more.
pub(crate) struct Attackers {
    streams: Vec<Option<TcpStream>>,
    sent: Vec<u8>,
}

impl Attackers {
    /// Readers of a page that take nothing of it.
    pub(crate) fn readers(server: &Process, count: usize) -> Self {
        let request = "GET /streams/large/changesets HTTP/1.1\r\nHost: localhost\r\n\r\n";
        // One after the other: their socket would take a single answer.
        Self::begin(server, count, request.repeat(8).into_bytes())
    }

    /// Commits whose last byte does not come.
    pub(crate) fn uploads(server: &Process, count: usize, bytes: usize) -> Self {
        let mut sent = post(bytes);
        sent.resize(sent.len() + bytes - 1, b' ');
        Self::begin(server, count, sent)
    }

    /// Connections without a request.
    pub(crate) fn idle(server: &Process, count: usize) -> Self {
        Self::begin(server, count, Vec::new())
    }

    /// Bodies of many members.
    pub(crate) fn keys(server: &Process, count: usize, keys: usize) -> Self {
        let members: Vec<_> = (0..keys).map(|key| format!("\"{key:x}\":0")).collect();
        let body = format!("{{{}}}", members.join(","));
        let mut sent = post(body.len());
        sent.extend(body.bytes());
        Self::begin(server, count, sent)
    }

    fn begin(server: &Process, count: usize, sent: Vec<u8>) -> Self {
        let mut attackers = Self {
            streams: (0..count).map(|_| None).collect(),
            sent,
        };
        attackers.come_again(server);
        attackers
    }

    /// Whoever was cut off comes again.
    pub(crate) fn come_again(&mut self, server: &Process) {
        for stream in &mut self.streams {
            if stream.as_ref().is_none_or(is_closed) {
                *stream = TcpStream::connect(&server.address).ok();
                // The server may cut it off meanwhile.
                let _ = stream.as_mut().map(|stream| stream.write_all(&self.sent));
                let _ = stream.as_ref().map(|stream| stream.set_nonblocking(true));
            }
        }
    }
}

fn post(bytes: usize) -> Vec<u8> {
    let head = "POST /streams/large HTTP/1.1\r\nHost: localhost\r\n";
    format!("{head}Content-Length: {bytes}\r\n\r\n").into_bytes()
}

/// Whether the server has closed a connection, or answered on it with an error.
fn is_closed(stream: &TcpStream) -> bool {
    let mut beginning = [0; 12];
    match stream.peek(&mut beginning) {
        Ok(read) => read == 0 || !beginning.ends_with(b"200"),
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}
