//! Many event streams of one server.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::process::{Ees, LONG};

/// How many streams are open at once. Each takes a file of this process and one of the server.
const STREAMS: usize = 900;

/// How many changesets are sent on each.
const CHANGESETS: u64 = 5;

/// The most memory that the streams may take, in KiB.
const MOST_KIB: u64 = 150 * 1024;

fn open(address: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let request = "GET /changesets HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::with_capacity(512, stream);
    assert_eq!(line_with(&mut reader, "retry:"), "retry: 1000");
    reader
}

/// The next line that begins so.
fn line_with(reader: &mut BufReader<TcpStream>, beginning: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(
            reader.read_line(&mut line).unwrap(),
            0,
            "the stream goes on"
        );
        if line.starts_with(beginning) {
            return line.trim_end().to_owned();
        }
    }
}

/// All get everything that is committed, and the server's memory stays small. An orderly stop ends
/// them.
#[test]
fn many_streams_take_little_memory() {
    let server = Ees::serve("memory:");
    let before = server.memory();
    let address = server.address();
    let mut streams: Vec<_> = (0..STREAMS).map(|_| open(&address)).collect();
    for last in 0..CHANGESETS {
        let path = format!("/streams/s?expected_last_changeset={last}");
        let body = format!(r#"{{"events":["{}"]}}"#, "x".repeat(1000));
        server.ok("POST", &path, &body);
    }
    for stream in &mut streams {
        for position in 0..CHANGESETS {
            assert_eq!(line_with(stream, "id:"), format!("id: {position}"));
        }
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < MOST_KIB, "{STREAMS} streams take {grown} KiB");
    println!("{STREAMS} streams: {grown} KiB");
    server.signal("TERM");
    for stream in &mut streams {
        let mut rest = String::new();
        while stream.read_line(&mut rest).unwrap() > 0 {}
    }
    let (code, _, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
}
