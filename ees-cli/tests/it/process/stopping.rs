//! How it ends: by a signal in order, by another at once, by SIGKILL without losing anything.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Ees, ees, sqlite};
use crate::http;
use crate::writers::{Writers, assert_kept, log};

/// How long a shutdown may take at most: less than the long poll would wait by itself.
const SOON: Duration = Duration::from_secs(15);

/// It stops in order each time, and soon at least once: a loaded machine takes its time.
fn stops_in_order(signal: &str) {
    let mut took = (0..3).map(|_| stop_in_order(signal));
    assert!(took.any(|took| took < SOON), "soon, at one of three tries");
}

/// A signal while a reader waits, and one while writers write; how long the first end takes.
fn stop_in_order(signal: &str) -> Duration {
    let folder = TempDir::new().expect("a folder");
    let storage = sqlite(&folder.path().join("ees.db"));
    let took = stop_while_a_reader_waits(signal, &storage);
    stop_while_writers_write(signal, &storage);
    took
}

fn stop_while_a_reader_waits(signal: &str, storage: &str) -> Duration {
    let ees = Ees::serve(storage);
    let address = ees.address();
    let poll = "/changesets?checkpoint=head&wait=20";
    let waiting = http::send(&address, "GET", poll, "", "").expect("a long poll");
    // Connections are accepted in their order, so the long poll's was before this one.
    let later = http::request(&address, "GET", "/version", "").expect("an answer");
    assert_eq!(later.status, 200, "{}", later.body);
    let begun = Instant::now();
    ees.signal(signal);
    let answer = http::receive(waiting).expect("the long poll is answered");
    end(ees);
    let took = begun.elapsed();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let page: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(page["changesets"], serde_json::json!([]), "nothing came");
    assert_eq!(page["next_checkpoint"], 0, "G6: from here again");
    took
}

fn stop_while_writers_write(signal: &str, storage: &str) {
    let ees = Ees::serve(storage);
    let writers = Writers::start(&ees.address());
    writers.wait_for_more(10);
    ees.signal(signal);
    end(ees);
    let acknowledged = writers.join();
    assert_kept(&log(&Ees::serve(storage)), &acknowledged);
}

/// It ends in order.
fn end(ees: Ees) {
    let (code, _, stderr) = ees.wait();
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn sigterm_stops_it_in_order() {
    stops_in_order("TERM");
}

#[test]
fn sigint_stops_it_in_order() {
    stops_in_order("INT");
}

/// A request that never ends holds the shutdown up, until a second signal.
#[test]
fn a_second_signal_stops_it_at_once() {
    let mut command = ees(&["--storage", "memory:", "--listen", "127.0.0.1:0"]);
    command.args(["--request-timeout", "3600"]);
    let ees = Ees::spawn(command);
    let mut client = TcpStream::connect(ees.address()).expect("a connection");
    let head = "POST /streams/s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\
                Expect: 100-continue\r\n\r\n";
    client.write_all(head.as_bytes()).expect("half a request");
    let mut begun = String::new();
    let read = BufReader::new(&client).read_line(&mut begun);
    read.expect("a line");
    assert_eq!(begun, "HTTP/1.1 100 Continue\r\n", "it waits for the rest");
    ees.signal("TERM");
    ees.wait_for_log("stopping on SIGTERM");
    ees.signal("TERM");
    let (code, _, stderr) = ees.wait();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("second signal"), "says why: {stderr}");
}

/// Kills it again and again while it is written to.
#[test]
fn what_was_acknowledged_survives_sigkill() {
    let folder = TempDir::new().expect("a folder");
    let storage = sqlite(&folder.path().join("ees.db"));
    let mut ees = Ees::serve(&storage);
    let writers = Writers::start(&ees.address());
    writers.wait_for_more(25);
    ees.kill();
    let acknowledged = writers.join();
    let mut ees = Ees::serve(&storage);
    let kept = log(&ees);
    assert_kept(&kept, &acknowledged);
    ees.ok("POST", "/streams/after", r#"{"events":["after"]}"#);
    ees.kill();
    let ees = Ees::serve(&storage);
    let again = log(&ees);
    assert_eq!(again[..kept.len()], kept, "G6: the order stands for ever");
    assert_eq!(
        again.len(),
        kept.len() + 1,
        "G4: what came after stands too"
    );
    let head = ees.ok("GET", "/streams/after", "");
    assert_eq!(head["last_event"], 1, "G3");
}
