//! Clients that do not play by the rules, over real sockets.

use std::io::{self, Write};
use std::net::TcpStream as StdStream;
use std::time::Duration;

use ees_core::{EventStore, Events, Expectation, NewChangeset};
use ees_http::{Options, ServerLimits, self_hosted_router, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Fault, Faulty, options, patient};

/// Far more than anything here should take, however slow the machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

pub(crate) struct Server {
    pub(crate) address: std::net::SocketAddr,
    closing: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
}

impl Server {
    pub(crate) async fn start(store: EventStore, limits: ServerLimits) -> Self {
        Self::with_options(store, limits, patient()).await
    }

    pub(crate) async fn with_options(
        store: EventStore,
        limits: ServerLimits,
        options: Options,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closing = options.closing.clone();
        Self {
            address: listener.local_addr().unwrap(),
            serving: tokio::spawn(serve(
                listener,
                self_hosted_router(store, options),
                limits,
                closing.clone(),
            )),
            closing,
        }
    }

    /// Sends what the sockets can hold, before the server, on this thread, sees the connection:
    /// none of its limits is about how long that takes.
    pub(crate) fn send(&self, text: &str) -> TcpStream {
        let mut stream = StdStream::connect(self.address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
        TcpStream::from_std(stream).unwrap()
    }
}

fn limits() -> ServerLimits {
    let mut limits = ServerLimits::default();
    limits.header_timeout = Duration::from_millis(300);
    limits.write_timeout = Duration::from_millis(300);
    limits
}

/// What comes up to the end of a head; a body may have begun.
pub(crate) async fn answer_head(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.contains("\r\n\r\n") {
        let mut some = [0; 1024];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut some)).await;
        let read = read.expect("the server answers").unwrap();
        assert_ne!(read, 0, "it is closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&some[..read]));
    }
    text
}

/// All that comes until the other side closes.
pub(crate) async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await;
    let _ = read.expect("the server closes the connection");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_is_cut_off() {
    let server = Server::start(Faulty::new().store(), limits()).await;
    let slow = server.send("GET /version HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    let text = rest(slow).await;
    assert!(!text.contains("200 OK"), "{text}");
    let idle = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(rest(idle).await, "", "an idle connection is closed");
    let kept = server.send("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        rest(kept).await.starts_with("HTTP/1.1 200 OK"),
        "and one that idles after a request"
    );
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = Server::start(Faulty::new().store(), ServerLimits::default()).await;
    let large = format!(
        "GET /version HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server may have closed before all was sent.
    let _ = stream.write_all(large.as_bytes()).await;
    let text = rest(stream).await;
    assert!(
        text.is_empty() || text.starts_with("HTTP/1.1 431"),
        "{text}"
    );
}

/// What the documentation says is always taken.
#[tokio::test]
async fn a_head_as_large_as_is_granted_is_taken() {
    let server = Server::start(Faulty::new().store(), ServerLimits::default()).await;
    for (count, size, status) in [(98, 320, "200"), (100, 1, "431")] {
        let value = "x".repeat(size);
        let headers = format!("X: {value}\r\n").repeat(count);
        let head = "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
        let text = rest(server.send(&format!("{head}{headers}\r\n"))).await;
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status}")),
            "{count}: {text}"
        );
    }
}

/// What says that it is too large is told so, whether it comes or not.
#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let patient = Server::start(Faulty::new().store(), ServerLimits::default()).await;
    let hurried = Server::with_options(Faulty::new().store(), limits(), options()).await;
    for (server, headers) in [
        (&patient, "Content-Length: 99999999999"),
        (&patient, "Content-Length: 200000\r\nExpect: 100-continue"),
        (&hurried, "Content-Length: 200000"),
    ] {
        let head = format!("POST /streams/s HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n");
        let text = rest(server.send(&head)).await;
        assert!(text.starts_with("HTTP/1.1 413"), "{headers}: {text}");
        assert!(text.contains("CHANGESET_TOO_LARGE"), "{headers}: {text}");
        // The body would stand before the next request.
        assert!(
            text.contains("\r\nconnection: close\r\n"),
            "{headers}: {text}"
        );
    }
}

/// A client that takes nothing of its answer is cut off, and gives back its place.
#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let storage = Faulty::new();
    let store = storage.store();
    for last in 0..60 {
        let events = Events::of(&["x".repeat(90_000)]).unwrap();
        let expectation = Expectation::LastChangeset(last);
        let asked = NewChangeset::new("s".parse().unwrap(), expectation, events);
        store.commit(asked).await.unwrap();
    }
    let mut one = limits();
    one.max_connections = 1;
    let server = Server::start(store, one).await;
    let request = "GET /streams/s/changesets HTTP/1.1\r\nHost: x\r\n\r\n".repeat(8);
    let deaf = server.send(&request);
    // Its place is the only one.
    let next = server.send("GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(rest(next).await.starts_with("HTTP/1.1 200 OK"));
    drop(deaf);
}

/// An event stream that nobody reads is cut off as well, and its place is free again.
#[tokio::test]
async fn a_reader_of_an_event_stream_that_takes_nothing_is_cut_off() {
    let storage = Faulty::new();
    let store = storage.store();
    for last in 0..200 {
        let events = Events::of(&["x".repeat(90_000)]).unwrap();
        let expectation = Expectation::LastChangeset(last);
        let asked = NewChangeset::new("s".parse().unwrap(), expectation, events);
        store.commit(asked).await.unwrap();
    }
    let mut one = patient();
    one.max_event_streams = 1;
    let server = Server::with_options(store, limits(), one).await;
    let request = |version: &str| {
        format!("GET /changesets {version}\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
    };
    let deaf = server.send(&request("HTTP/1.1"));
    let begun = std::time::Instant::now();
    let mut other = loop {
        let mut other = server.send(&request("HTTP/1.0"));
        if answer_head(&mut other).await.contains(" 200 OK") {
            break other;
        }
        assert!(begun.elapsed() < PATIENCE, "its place is free");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    // The one that reads gets all.
    let (mut text, mut some) = (String::new(), vec![0; 65_536]);
    while !text.contains("\nid: 199\n") {
        let read = other.read(&mut some).await.unwrap();
        assert_ne!(read, 0, "it goes on");
        text = text.split_off(text.len().saturating_sub(100));
        text.push_str(std::str::from_utf8(&some[..read]).unwrap());
    }
    drop(deaf);
}

/// What was accepted is answered; then the server is gone.
#[tokio::test]
async fn a_shutdown_finishes_what_was_accepted() {
    let storage = Faulty::new();
    let mut limits = ServerLimits::default();
    limits.shutdown_timeout = PATIENCE;
    let server = Server::start(storage.store(), limits).await;
    let body = r#"{"events":[1]}"#;
    let head = format!(
        "POST /streams/s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut accepted = server.send(&head);
    let goes_on = answer_head(&mut accepted).await;
    assert!(goes_on.starts_with("HTTP/1.1 100"), "{goes_on}");
    let poll = server.send("GET /changesets?wait=20 HTTP/1.1\r\nHost: x\r\n\r\n");
    storage.called().await;
    let mut kept = server.send("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
    let answered = answer_head(&mut kept).await;
    assert!(answered.starts_with("HTTP/1.1 200 OK"), "{answered}");
    server.closing.cancel();
    // Nothing more is taken from who was answered.
    rest(kept).await;
    accepted.write_all(body.as_bytes()).await.unwrap();
    assert!(rest(accepted).await.contains(r#""changeset_id":1"#));
    // Whether the poll ends before or after the commit.
    assert!(rest(poll).await.contains(r#""next_checkpoint":"#));
    let ended = tokio::time::timeout(PATIENCE, server.serving).await;
    ended.expect("the server ends").unwrap().unwrap();
    // Another server may have the port by now; it knows nothing of this one's stream.
    if let Ok(mut other) = TcpStream::connect(server.address).await {
        let head = "GET /streams/s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let _ = other.write_all(head.as_bytes()).await;
        let text = rest(other).await;
        assert!(!text.contains(r#""last_changeset":1,"#), "{text}");
    }
}

/// A request that hangs does not keep the server for ever.
#[tokio::test]
async fn a_shutdown_ends_in_time() {
    let storage = Faulty::new();
    storage.set(Fault::Silent);
    let mut limits = ServerLimits::default();
    limits.shutdown_timeout = Duration::from_millis(200);
    let server = Server::start(storage.store(), limits).await;
    let hanging = server.send("GET /streams/s HTTP/1.1\r\nHost: x\r\n\r\n");
    storage.called().await;
    server.closing.cancel();
    let ended = tokio::time::timeout(PATIENCE, server.serving).await;
    ended.expect("the server ends").unwrap().unwrap();
    assert_eq!(rest(hanging).await, "", "it hung");
}

/// Whoever closes its side after a request gets the answer, however large it is.
#[tokio::test]
async fn a_client_that_closes_its_side_gets_its_answers() {
    let server = Server::start(Faulty::new().store(), ServerLimits::default()).await;
    let large = format!(r#"{{"events":["{}"]}}"#, "x".repeat(90_000));
    let post = format!(
        "POST /streams/s HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{large}",
        large.len()
    );
    let get = "GET /streams/s/changesets HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut stream = server.send(&format!("{post}{}", get.repeat(50)));
    stream.shutdown().await.unwrap();
    let text = rest(stream).await;
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 51);
    assert!(text.len() > 50 * 90_000, "{} bytes", text.len());
}

/// It may have gone, so nothing is waited for.
#[tokio::test]
async fn a_client_that_closes_its_side_waits_for_nothing() {
    let server = Server::start(Faulty::new().store(), ServerLimits::default()).await;
    for path in [
        "/changesets?wait=20",
        "/events?wait=20",
        "/streams/s/events?wait=20",
    ] {
        let mut stream = server.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        stream.shutdown().await.unwrap();
        let text = rest(stream).await;
        let told = text.contains("HTTP/1.1 200 OK") || text.contains("STREAM_NOT_FOUND");
        assert!(told, "{path}: {text}");
    }
    let follow = "GET /changesets HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n";
    let mut stream = server.send(follow);
    let head = answer_head(&mut stream).await;
    assert!(head.contains("text/event-stream"), "{head}");
    stream.shutdown().await.unwrap();
    rest(stream).await;
}

/// A body that ends too early is no request.
#[tokio::test]
async fn half_a_body_is_not_waited_for_when_its_client_sends_no_more() {
    let server = Server::start(Faulty::new().store(), ServerLimits::default()).await;
    let half = "POST /streams/s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    let mut stream = server.send(half);
    stream.shutdown().await.unwrap();
    let text = rest(stream).await;
    assert!(!text.contains("200 OK"), "{text}");
}
