//! Clients in the same process: one connection each, one request at a time.

use std::net::SocketAddr;
use std::sync::Arc;
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
}

/// Appends from concurrent clients, each to streams of its own. Returns commits per second.
pub async fn append(clients: &mut [Client], streams: &Arc<Streams>, length: Duration) -> f64 {
    let begun = Instant::now();
    let count = clients.len() as u64;
    let work = (0..).zip(clients).map(async |(first, client)| {
        let mut commits = 0;
        let mut stream = first;
        while begun.elapsed() < length {
            let last = streams.advance(stream);
            let path = format!("/streams/order-{stream}?expected_last_changeset={last}");
            client.call(Method::POST, &path, load::body(last)).await;
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
pub async fn append_sets(clients: &mut [Client], streams: &Arc<Streams>, length: Duration) -> f64 {
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
