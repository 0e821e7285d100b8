//! The plainest HTTP client: a connection per request, and every failure told.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::LONG;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Sends a request without waiting for its answer; each of the headers ends its line.
pub(crate) fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )?;
    Ok(stream)
}

/// Receives an answer whole, or an error.
pub(crate) fn receive(mut stream: TcpStream) -> io::Result<Answer> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let broken = || io::Error::new(io::ErrorKind::UnexpectedEof, "not a whole answer");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let length = format!("content-length: {}", body.len());
    let is_whole = head.lines().any(|line| line.eq_ignore_ascii_case(&length));
    if !is_whole {
        return Err(broken());
    }
    Ok(Answer {
        status: status.ok_or_else(broken)?,
        body: body.to_owned(),
    })
}

/// Sends a request, and repeats it while its answer is that the storage is not there: a loaded
/// machine may let a connection wait too long. A commit happens once all the same.
pub(crate) fn persist(address: &str, method: &str, path: &str, body: &str) -> io::Result<Answer> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let key = format!("Idempotency-Key: {}-{count}\r\n", std::process::id());
    let begun = Instant::now();
    loop {
        let answer = receive(send(address, method, path, &key, body)?)?;
        if answer.status != 503 || begun.elapsed() > LONG {
            return Ok(answer);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a request and receives its answer.
pub(crate) fn request(address: &str, method: &str, path: &str, body: &str) -> io::Result<Answer> {
    receive(send(address, method, path, "", body)?)
}
