//! What stands between a server and its clients, and changes some answers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Passes requests on. It lives as long as the test's process.
pub(super) struct Altering(String);

impl Altering {
    /// Stands before a server, and changes the answers to paths that begin with `path`. An answer of
    /// nothing closes the connection.
    pub(super) fn between(
        server: &str,
        path: &str,
        change: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (server, path, change) = (server.to_owned(), path.to_owned(), Arc::new(change));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, path, change) = (server.clone(), path.clone(), Arc::clone(&change));
                thread::spawn(move || pass(client, &server, &path, change.as_ref()));
            }
        });
        Self(address)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.0)
    }
}

/// Passes one request on, whose body is empty, and its answer.
fn pass(mut client: TcpStream, server: &str, path: &str, change: &dyn Fn(&[u8]) -> Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if client.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("a head");
    let asked = head.split(' ').nth(1).expect("a path");
    let mut upstream = TcpStream::connect(server).expect("the server");
    write!(
        upstream,
        "GET {asked} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .expect("a request");
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).expect("an answer");
    if asked.starts_with(path) {
        answer = change(&answer);
    }
    // The client may be gone.
    let _ = client.write_all(&answer);
}
