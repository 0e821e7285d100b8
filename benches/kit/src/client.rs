//! Lean clients over HTTP, in the same process: one connection each, one request at a time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::load::{self, STREAMS, Streams};
use crate::report::per_second;

/// A connection.
#[derive(Debug)]
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    authorization: Option<String>,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = connected.unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            authorization: None,
        }
    }

    /// Sends every request with this key from now on.
    pub fn authorize(&mut self, secret: &str) {
        self.authorization = Some(format!("Bearer {secret}"));
    }

    /// Sends a request and reads the whole answer, which must be a 200.
    pub async fn call(&mut self, method: Method, path: &str, body: String) -> Bytes {
        let (status, body) = self.send(method, path, body).await;
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        body
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&mut self, method: Method, path: &str, body: String) -> (StatusCode, Bytes) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost");
        let request = match &self.authorization {
            Some(key) => request.header("authorization", key),
            None => request,
        };
        let request = request.body(Full::from(body)).unwrap();
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, body)
    }

    /// Reads a page of the global order. Returns the next checkpoint.
    pub async fn page(&mut self, checkpoint: u64, limit: u64) -> u64 {
        let path = format!("/changesets?checkpoint={checkpoint}&limit={limit}");
        let body = self.call(Method::GET, &path, String::new()).await;
        // The end of the answer has the next checkpoint. The rest is not parsed.
        let tail = body.iter().rposition(|byte| *byte == b',').unwrap();
        let tail = std::str::from_utf8(&body[tail..]).unwrap();
        let next = tail.trim_matches(|letter: char| !letter.is_ascii_digit());
        next.parse().unwrap()
    }
}

/// Reads the global order as an event stream, on a connection of its own, until the changeset at this
/// position has come. Nothing but the ids of the events is parsed.
pub async fn follow(address: SocketAddr, last: u64) {
    let mut client = Client::connect(address).await;
    let request = Request::get("/changesets")
        .header("host", "localhost")
        .header("accept", "text/event-stream");
    let request = request.body(Full::from(String::new())).unwrap();
    let response = client.sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    // An id may be in two pieces of the answer.
    let mut text = Vec::new();
    while last_id(&text) != Some(last) {
        let kept = text.len().saturating_sub(LONGEST_ID);
        text.drain(..kept);
        let frame = body.frame().await.expect("an answer without an end");
        text.extend_from_slice(frame.unwrap().data_ref().unwrap());
    }
}

/// The length of the longest line with an id, and more.
const LONGEST_ID: usize = 32;

/// The id of the last event whose id is complete.
fn last_id(text: &[u8]) -> Option<u64> {
    const LINE: &[u8] = b"\nid: ";
    let whole = &text[..=text.iter().rposition(|byte| *byte == b'\n')?];
    let line = whole.windows(LINE.len()).rposition(|found| found == LINE)?;
    let id = whole[line + LINE.len()..].split(|byte| *byte == b'\n');
    std::str::from_utf8(id.into_iter().next()?)
        .ok()?
        .parse()
        .ok()
}

/// Connects `count` clients.
pub async fn clients(address: SocketAddr, count: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Client::connect(address).await);
    }
    clients
}

/// Appends from concurrent clients, each to streams of its own. Returns commits per second.
pub async fn append(clients: &mut [Client], streams: &Streams, length: Duration) -> f64 {
    let commit = async |client: &mut Client, stream| {
        let last = streams.advance(stream);
        let path = format!("/streams/order-{stream}?expected_last_changeset={last}");
        client.call(Method::POST, &path, load::body(last)).await;
    };
    each_to_its_own(clients, length, commit).await
}

/// Commits of concurrent clients of any kind, each to streams of its own. Returns commits per second.
pub async fn each_to_its_own<C>(
    clients: &mut [C],
    length: Duration,
    commit: impl AsyncFn(&mut C, u64),
) -> f64 {
    let begun = Instant::now();
    let count = clients.len() as u64;
    let work = (0..).zip(clients).map(async |(first, client)| {
        let mut commits = 0;
        let mut stream = first;
        while begun.elapsed() < length {
            commit(client, stream).await;
            commits += 1;
            stream += count;
            if stream >= STREAMS {
                stream = first;
            }
        }
        commits
    });
    let commits: u64 = join_all(work).await.into_iter().sum();
    per_second(commits, begun.elapsed())
}

/// Appends sets of two commits from concurrent clients, each to streams of its own. Returns changesets
/// per second.
pub async fn append_sets(clients: &mut [Client], streams: &Streams, length: Duration) -> f64 {
    let begun = Instant::now();
    let count = 2 * clients.len() as u64;
    let work = (0..).step_by(2).zip(clients).map(async |(first, client)| {
        let mut commits = 0;
        let mut stream = first;
        while begun.elapsed() < length {
            let member = |stream| load::member(stream, streams.advance(stream));
            let body = format!(
                r#"{{"commits":[{},{}]}}"#,
                member(stream),
                member(stream + 1)
            );
            client.call(Method::POST, "/commits", body).await;
            commits += 2;
            stream += count;
            if stream + 1 >= STREAMS {
                stream = first;
            }
        }
        commits
    });
    let commits: u64 = join_all(work).await.into_iter().sum();
    per_second(commits, begun.elapsed())
}
