//! Who is cut off when there is no room, over real sockets; and what a connection is told.

use std::time::{Duration, Instant};

use ees_core::{EventStore, Events, Expectation, NewChangeset};
use ees_http::ServerLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::clients::{PATIENCE, Server, answer_head, rest};
use crate::support::{Faulty, logged, patient};

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

fn post(stream: &str, bytes: usize) -> String {
    let body = format!(r#"{{"events":["{}"]}}"#, "x".repeat(bytes));
    let length = body.len();
    format!(
        "POST /streams/{stream} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \
         {length}\r\n\r\n{body}"
    )
}

/// Repeats a request while it is answered `OVERLOADED`: nobody is cut off who made progress just now.
async fn persist(server: &Server, request: &str) -> String {
    let begun = Instant::now();
    loop {
        let text = rest(server.send(request)).await;
        if !text.contains("OVERLOADED") {
            return text;
        }
        assert!(begun.elapsed() < PATIENCE, "{text}");
    }
}

/// The other side has cut the connection off.
async fn is_cut_off(mut stream: TcpStream) {
    let mut some = vec![0; 65_536];
    let cut = async { while stream.read(&mut some).await.is_ok_and(|read| read > 0) {} };
    let cut = tokio::time::timeout(PATIENCE, cut).await;
    cut.expect("it is cut off");
}

fn is_logged() -> bool {
    logged().contains(&tracing::Level::WARN)
}

#[tokio::test]
async fn the_connection_that_idles_longest_makes_room_for_a_new_one() {
    let mut two = ServerLimits::default();
    two.max_connections = 2;
    let server = Server::start(Faulty::new().store(), two).await;
    let idle = server.send("GET /version HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    let waiting = server.send(&get("/changesets?wait=20"));
    logged();
    let new = rest(server.send(&post("s", 10))).await;
    assert!(new.starts_with("HTTP/1.1 200 OK"), "{new}");
    is_cut_off(idle).await;
    assert!(is_logged());
    // A long poll is not idle: the server has the next step.
    let woken = rest(waiting).await;
    assert!(woken.contains(r#""next_checkpoint":1"#), "{woken}");
}

#[tokio::test]
async fn a_body_that_does_not_go_on_makes_room_for_another_one() {
    let mut few = patient();
    few.max_buffered_bytes = 160_000;
    let storage = Faulty::new();
    let server = Server::with_options(storage.store(), ServerLimits::default(), few).await;
    let whole = post("never", 90_000);
    let stuck = server.send(whole.strip_suffix('}').unwrap());
    logged();
    let other = persist(&server, &post("s", 90_000)).await;
    assert!(other.starts_with("HTTP/1.1 200 OK"), "{other}");
    is_cut_off(stuck).await;
    assert!(is_logged());
    let never = rest(server.send(&get("/streams/never"))).await;
    assert!(never.contains("STREAM_NOT_FOUND"), "{never}");
}

async fn with_large_pages() -> EventStore {
    let store = Faulty::new().store();
    for last in 0..60 {
        let events = Events::of(&["x".repeat(90_000)]).unwrap();
        let expectation = Expectation::LastChangeset(last);
        let asked = NewChangeset::new("s".parse().unwrap(), expectation, events);
        store.commit(asked).await.unwrap();
    }
    store
}

#[tokio::test]
async fn an_answer_that_nobody_takes_makes_room_for_another_one() {
    let mut few = patient();
    // A page, and no second one.
    few.max_answer_bytes = 6_000_000;
    let limits = ServerLimits::default();
    let server = Server::with_options(with_large_pages().await, limits, few).await;
    // More than the sockets hold.
    let request = "GET /streams/s/changesets HTTP/1.1\r\nHost: x\r\n\r\n".repeat(40);
    let deaf = server.send(&request);
    let other = get("/streams/s/changesets?limit=40");
    while !rest(server.send(&other)).await.contains("OVERLOADED") {}
    let other = persist(&server, &other).await;
    assert!(other.starts_with("HTTP/1.1 200 OK"), "{other}");
    is_cut_off(deaf).await;
}

/// The system would hold megabytes for each client that takes nothing.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_system_holds_little_of_an_answer() {
    let server = Server::start(with_large_pages().await, ServerLimits::default()).await;
    let request = "GET /streams/s/changesets HTTP/1.1\r\nHost: x\r\n\r\n";
    let deaf = server.send(&request.repeat(40));
    let client = deaf.local_addr().unwrap().port();
    let mut held = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = held_for(server.address.port(), client);
        if now > 0 && now == held {
            break;
        }
        held = now;
    }
    assert!(held < 1024 * 1024, "{held} bytes");
}

/// The bytes that the system holds for a client, as `/proc/net/tcp` tells them.
#[cfg(target_os = "linux")]
fn held_for(server: u16, client: u16) -> u64 {
    let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let [server, client] = [server, client].map(|port| format!(":{port:04X}"));
    let found = connections.lines().find_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let ends = [columns.next()?, columns.next()?];
        let is_it = ends[0].ends_with(&server) && ends[1].ends_with(&client);
        is_it.then(|| columns.nth(1)).flatten()
    });
    let sending = found.and_then(|queues| queues.split(':').next());
    u64::from_str_radix(sending.expect("the connection"), 16).unwrap()
}

/// A kept connection is told when it is not kept, and only then.
#[tokio::test]
async fn a_connection_that_is_closed_is_told_so() {
    let server = Server::start(Faulty::new().store(), ServerLimits::default()).await;
    let kept = post("s", 10).replace("Connection: close\r\n", "");
    let mut stream = server.send(&kept);
    let first = answer_head(&mut stream).await;
    assert!(first.starts_with("HTTP/1.1 200 OK"), "{first}");
    assert!(!first.contains("connection: close"), "{first}");
    // The body of a refused commit is left unread.
    let refused = kept.replace("/streams/s", "/streams/s?expected_last_changeset=x");
    stream.write_all(refused.as_bytes()).await.unwrap();
    let told = rest(stream).await;
    assert!(told.contains("HTTP/1.1 400"), "{told}");
    assert!(told.contains("connection: close"), "{told}");
}

/// RFC 9112, section 3.2.
#[tokio::test]
async fn a_request_names_one_host() {
    let server = Server::start(Faulty::new().store(), ServerLimits::default()).await;
    for (request, status) in [
        ("GET /version HTTP/1.1\r\nConnection: close\r\n\r\n", "400"),
        (
            "GET /version HTTP/1.1\r\nHost: x\r\nHost: x\r\nConnection: close\r\n\r\n",
            "400",
        ),
        (
            "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "200",
        ),
        ("GET /version HTTP/1.0\r\n\r\n", "200"),
    ] {
        let text = rest(server.send(request)).await;
        let line = text.lines().next().unwrap_or_default();
        assert!(line.contains(status), "{request}: {text}");
        assert_eq!(text.contains("INVALID_HOST"), status == "400", "{text}");
    }
}
