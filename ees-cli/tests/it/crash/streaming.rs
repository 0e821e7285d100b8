//! A reader of an event stream that outlives the servers that it reads from.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use ees_conformance::subject::Changeset;

use super::wire;
use crate::process::LONG;

/// How long it rests before it connects again.
const PAUSE: Duration = Duration::from_millis(20);

/// Follows the global order by server-sent events.
#[derive(Default)]
pub(super) struct Follower {
    last: Option<String>,
    read: Vec<Changeset>,
}

impl Follower {
    /// What came, in the order in which it came.
    pub(super) fn read(&self) -> &[Changeset] {
        &self.read
    }

    /// Reads until the server is gone, or ends the stream.
    pub(super) fn work(&mut self, address: &str) {
        // However it ends: what came has its id.
        let _ = self.follow(address, usize::MAX);
    }

    /// Reads until it has so many changesets.
    pub(super) fn catch_up(&mut self, address: &str, length: usize) {
        let begun = Instant::now();
        while self.read.len() < length {
            assert!(begun.elapsed() < LONG, "G8: what stands is sent");
            let _ = self.follow(address, length);
            thread::sleep(PAUSE);
        }
    }

    /// Goes on behind the last event. HTTP/1.0 keeps chunks out of the answer.
    fn follow(&mut self, address: &str, length: usize) -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LONG))?;
        let last = self
            .last
            .iter()
            .map(|id| format!("Last-Event-ID: {id}\r\n"));
        let last: String = last.collect();
        write!(
            stream,
            "GET /changesets?details=true HTTP/1.0\r\nAccept: text/event-stream\r\n{last}\r\n"
        )?;
        let (mut id, mut data) = (None, None);
        for line in BufReader::new(stream).lines() {
            let line = line?;
            if let Some(found) = line.strip_prefix("id: ") {
                id = Some(found.to_owned());
            } else if let Some(found) = line.strip_prefix("data: ") {
                data = Some(found.to_owned());
            } else if line.is_empty()
                && let Some(data) = data.take()
            {
                let data = serde_json::from_str(&data)?;
                self.read.push(wire::changeset(&data));
                self.last = id.take();
                if self.read.len() >= length {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
