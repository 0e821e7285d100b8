//! Clients that take more than their share of a running server. `benches/src/bin/attack` has more of
//! them.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::http::request;
use crate::process::{Ees, LONG};

/// The size of each large body and answer, in bytes.
const LARGE: usize = 16 * 1024 * 1024 - 4096;

/// How many clients read, and how many write.
const CLIENTS: usize = 8;

/// The memory that the clients take in any case, and the memory that may stay without them, in KiB.
const TAKEN: u64 = 150_000;
const STAYS: u64 = 100_000;

fn attack(address: &str, head: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let head = format!("{head} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LARGE}\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it is taken");
    stream.write_all(body).expect("it is taken");
    stream
}

fn wait_until(is_so: impl Fn(u64) -> bool, server: &Ees) {
    let begun = Instant::now();
    while !is_so(server.memory()) {
        assert!(begun.elapsed() < LONG, "{} KiB", server.memory());
        thread::sleep(Duration::from_millis(20));
    }
}

/// A normal client is served meanwhile, and the memory is given back when they have gone.
#[test]
fn greedy_clients_keep_nobody_out_and_no_memory() {
    let server = Ees::serve("memory:");
    let address = server.address();
    let large = format!(r#"{{"events":["{}"]}}"#, "x".repeat(LARGE - 100));
    let stored = request(&address, "POST", "/streams/large", &large).expect("an answer");
    assert_eq!(stored.status, 200, "{}", stored.body);
    let unfinished = vec![b' '; LARGE - 1];
    let mut greedy = Vec::new();
    for at in 0..CLIENTS {
        let mut reader = TcpStream::connect(&address).expect("a connection");
        let read = "GET /streams/large/changesets HTTP/1.1\r\nHost: localhost\r\n\r\n";
        // More than the sockets hold.
        let reads = reader.write_all(read.repeat(4).as_bytes());
        reads.expect("it is taken");
        greedy.push(reader);
        greedy.push(attack(
            &address,
            &format!("POST /streams/stuck-{at}"),
            &unfinished,
        ));
    }
    greedy.extend((0..100).map(|_| TcpStream::connect(&address).expect("a connection")));
    let members: Vec<_> = (0..200_000).map(|at| format!("\"{at}\":0")).collect();
    let many = format!("{{{},\"events\":[1]}}", members.join(","));
    for at in 0..10 {
        let stream = format!("/streams/normal-{at}");
        let refused = request(&address, "POST", &stream, &many).expect("an answer");
        assert_eq!(refused.status, 400, "{}", refused.body);
        for (method, path, body) in [
            ("POST", stream.as_str(), r#"{"events":[1]}"#),
            ("GET", &format!("{stream}/events"), ""),
            ("GET", "/health/ready", ""),
        ] {
            let answer = request(&address, method, path, body).expect("an answer");
            assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
        }
    }
    wait_until(|taken| taken > TAKEN, &server);
    drop(greedy);
    wait_until(|stays| stays < STAYS, &server);
}
