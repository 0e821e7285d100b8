//! A proxy that adds a region's latency to an emulator, and records each request.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// A proxy.
#[derive(Debug)]
pub struct Distance {
    /// The URL of the proxy: `http://127.0.0.1:PORT`.
    pub endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// The times of a request and of its answer.
type Request = (Instant, Instant);

#[derive(Clone)]
struct Way {
    to: String,
    client: Client<HttpConnector, Full<Bytes>>,
    requests: Arc<Mutex<Vec<Request>>>,
    delay: Duration,
}

impl Distance {
    /// Starts a proxy for an endpoint. It adds this latency to each request.
    pub async fn start(to: &str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::default();
        let way = Way {
            to: to.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            requests: Arc::clone(&requests),
            delay,
        };
        tokio::spawn(accept(listener, way));
        Self { endpoint, requests }
    }

    /// The number of answered requests.
    pub fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    /// The time of the first answered request since then.
    pub fn first_since(&self, since: Instant) -> Option<Instant> {
        let requests = self.requests.lock().unwrap();
        let begun = requests.iter().map(|(begun, _)| *begun);
        begun.filter(|begun| *begun >= since).min()
    }

    /// The part of this time during which at least one request was in flight.
    pub fn busy(&self, from: Instant, to: Instant) -> Duration {
        let mut requests = self.requests.lock().unwrap().clone();
        requests.sort();
        let mut busy = Duration::ZERO;
        let mut counted = from;
        for (begun, answered) in requests {
            let (begun, answered) = (begun.max(counted), answered.min(to));
            busy += answered.saturating_duration_since(begun);
            counted = counted.max(answered);
        }
        busy
    }
}

async fn accept(listener: TcpListener, way: Way) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let way = way.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| way.clone().pass(request));
            // If a connection breaks, the SDK reconnects.
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.await;
        });
    }
}

impl Way {
    async fn pass(self, request: hyper::Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let begun = Instant::now();
        tokio::time::sleep(self.delay).await;
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        head.uri = format!("{}{}", self.to, head.uri)
            .parse()
            .map_err(io::Error::other)?;
        let request = hyper::Request::from_parts(head, Full::from(body));
        let answer = self
            .client
            .request(request)
            .await
            .map_err(io::Error::other)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        self.requests.lock().unwrap().push((begun, Instant::now()));
        Ok(Response::from_parts(head, Full::from(body)))
    }
}
