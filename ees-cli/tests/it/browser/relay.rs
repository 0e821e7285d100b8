//! A server in front of `ees`, so that a page of the same origin can follow it: it has the page,
//! breaks the first event stream at a place, and receives what the page saw.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde_json::Value;

use crate::process::LONG;

/// Follows the order, and tells each changeset with its id, one after the other.
const PAGE: &str = "<!doctype html><meta charset=utf-8><script>
let told = Promise.resolve();
const events = new EventSource('/changesets');
events.addEventListener('changeset', event => {
    const seen = {...JSON.parse(event.data), id: event.lastEventId};
    told = told.then(() => fetch('/seen', {method: 'POST', body: JSON.stringify(seen)}));
});
</script>";

/// What a relay hands to its threads.
#[derive(Clone)]
struct Ends {
    server: String,
    seen: Sender<Value>,
    followed: Sender<String>,
}

/// The relay; its threads end with the process.
pub(crate) struct Relay {
    pub(crate) address: String,
    seen: Receiver<Value>,
    followed: Receiver<String>,
}

impl Relay {
    /// Relays to a server. The first event stream breaks behind a text.
    pub(crate) fn start(server: &str, break_behind: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (seen, seen_by_test) = channel();
        let (followed, followed_by_test) = channel();
        let ends = Ends {
            server: server.to_owned(),
            seen,
            followed,
        };
        thread::spawn(move || {
            let mut break_behind = Some(break_behind);
            for client in listener.incoming().map_while(Result::ok) {
                let mut client = BufReader::new(client);
                let head = head(&mut client);
                let is_stream = head.starts_with("GET /changesets ");
                let breaks = is_stream.then(|| break_behind.take()).flatten();
                let ends = ends.clone();
                thread::spawn(move || ends.answer(&head, client, breaks));
            }
        });
        Self {
            address,
            seen: seen_by_test,
            followed: followed_by_test,
        }
    }

    /// The next changeset that the page saw.
    pub(crate) fn seen(&self) -> Value {
        self.seen.recv_timeout(LONG).expect("the page goes on")
    }

    /// The `Last-Event-ID` of each event stream until now; empty without one.
    pub(crate) fn resumed_behind(&self) -> Vec<String> {
        self.followed.try_iter().collect()
    }
}

impl Ends {
    fn answer(&self, head: &str, mut client: BufReader<TcpStream>, breaks: Option<&str>) {
        if head.starts_with("GET /changesets ") {
            let behind = header(head, "last-event-id").unwrap_or_default();
            let _ = self.followed.send(behind);
            self.relay(head, &client, breaks);
            return;
        }
        let mut body = "";
        if head.starts_with("GET /page ") {
            body = PAGE;
        } else if head.starts_with("POST /seen ") {
            let length = header(head, "content-length").expect("a length");
            let mut seen = vec![0; length.parse().expect("a number")];
            client.read_exact(&mut seen).expect("a body");
            let _ = self.seen.send(serde_json::from_slice(&seen).expect("JSON"));
        }
        let length = body.len();
        let _ = write!(
            client.get_mut(),
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
    }

    /// Passes an event stream on, at most until a text has passed.
    fn relay(&self, head: &str, client: &BufReader<TcpStream>, breaks: Option<&str>) {
        let mut server = TcpStream::connect(&self.server).expect("a connection");
        let head = head.replace("Connection: keep-alive", "Connection: close");
        server.write_all(head.as_bytes()).expect("a request");
        let mut passed = String::new();
        let mut line = String::new();
        let mut server = BufReader::new(server);
        while server.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            let mut to = client.get_ref();
            if to.write_all(line.as_bytes()).is_err() {
                return;
            }
            passed.push_str(&line);
            line.clear();
            if breaks.is_some_and(|text| passed.ends_with(text)) {
                return;
            }
        }
    }
}

/// The head of a request, with the empty line at its end.
fn head(client: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match client.read_line(&mut head) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    head
}

/// The value of a header.
fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines();
    lines.find_map(|line| {
        let (found, value) = line.split_once(':')?;
        let is_it = found.eq_ignore_ascii_case(name);
        is_it.then(|| value.trim().to_owned())
    })
}
