//! Raw HTTP, for requests that a well-behaved client would not send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any answer takes.
const LONG: Duration = Duration::from_mins(1);

/// A connection.
pub(crate) struct Socket(TcpStream);

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Socket {
    /// Connects to the server behind a URL.
    pub(crate) async fn connect(url: &str) -> Self {
        let address = url.strip_prefix("http://").expect("a plain HTTP URL");
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = self.0.write_all(bytes.as_ref()).await;
        sent.expect("the server takes what it is sent");
    }

    /// Receives one answer with a Content-Length.
    pub(crate) async fn receive(&mut self) -> Answer {
        let received = tokio::time::timeout(LONG, self.read_answer()).await;
        received.expect("an answer in time")
    }

    async fn read_answer(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("an answer's head"));
        }
        let head = String::from_utf8(head).expect("a head of text");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let lengths = head.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().expect("a length"))
        });
        let length = lengths.sum();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.expect("a whole body");
        Answer {
            status: status.expect("a status"),
            body: String::from_utf8(body).expect("a body of text"),
        }
    }

    /// Sends nothing more, and returns when the server has closed the connection.
    pub(crate) async fn finish(mut self) {
        self.0.shutdown().await.expect("an end to what is sent");
        let mut rest = Vec::new();
        let read = tokio::time::timeout(LONG, self.0.read_to_end(&mut rest)).await;
        // However it ends.
        let _ = read.expect("an end in time");
    }

    /// Whether the server ends the connection and sends nothing more.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let read = tokio::time::timeout(LONG, self.0.read_u8()).await;
        read.expect("an end in time").is_err()
    }
}
