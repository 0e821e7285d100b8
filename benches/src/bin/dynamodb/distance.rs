//! A proxy that makes an emulator as far away as a region is, and counts requests.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// A proxy.
pub(crate) struct Distance {
    pub(crate) endpoint: String,
    requests: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Way {
    to: String,
    client: Client<HttpConnector, Full<Bytes>>,
    requests: Arc<AtomicU64>,
    delay: Duration,
}

impl Distance {
    /// Starts one before an endpoint.
    pub(crate) async fn start(to: &str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicU64::new(0));
        let way = Way {
            to: to.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            requests: Arc::clone(&requests),
            delay,
        };
        tokio::spawn(accept(listener, way));
        Self { endpoint, requests }
    }

    /// How many requests went through.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, way: Way) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let way = way.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| way.clone().pass(request));
            // A connection that breaks off is the SDK's to make anew.
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.await;
        });
    }
}

impl Way {
    async fn pass(self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(self.delay).await;
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        head.uri = format!("{}{}", self.to, head.uri)
            .parse()
            .map_err(io::Error::other)?;
        let request = Request::from_parts(head, Full::from(body));
        let answer = self
            .client
            .request(request)
            .await
            .map_err(io::Error::other)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Response::from_parts(head, Full::from(body)))
    }
}
