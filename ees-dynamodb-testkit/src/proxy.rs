//! An HTTP proxy in front of an emulator. A plan decides what happens to each call.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One attempt of a call.
#[derive(Debug)]
pub struct Call {
    /// The name of the operation: `PutItem`.
    pub operation: String,
    /// The number of the attempt, from the SDK's header.
    pub attempt: u64,
    /// The body of the request.
    pub asked: Value,
    /// The number of the shard that it asks for, behind [`Shards`](crate::Shards).
    pub shard: Option<u64>,
}

/// The fate of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The proxy passes it on.
    Through,
    /// The proxy passes it on after a delay.
    Late(Duration),
    /// The proxy answers with this status and error code, and does not pass it on.
    Refused(u16, &'static str),
    /// The proxy answers that the transaction was cancelled, because of this action of it and for this
    /// reason, and does not pass it on.
    Cancelled(usize, &'static str),
    /// The connection breaks before the emulator receives it.
    Lost,
    /// The connection breaks after the emulator has processed it.
    Unanswered,
}

/// Decides what a proxy does.
pub trait Plan: Send + Sync + 'static {
    /// Decides the fate of an attempt, and may change its request.
    fn begin(&self, _: &mut Call) -> Fate {
        Fate::Through
    }

    /// Receives an answer with status 200, and may change it.
    fn end(&self, _: &Call, _: &mut Value) {}
}

/// A proxy. It stops when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// The URL of the proxy: `http://127.0.0.1:PORT`.
    pub endpoint: String,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    /// Starts a proxy for the `DynamoDB` at this endpoint.
    ///
    /// # Errors
    /// [`io::Error`] if it cannot listen.
    pub async fn start(upstream: &str, plan: Arc<dyn Plan>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let upstream = Upstream {
            url: upstream.to_owned(),
            client,
            plan,
        };
        Ok(Self {
            endpoint: format!("http://{address}"),
            accepting: tokio::spawn(accept(listener, upstream)),
        })
    }
}

#[derive(Clone)]
struct Upstream {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
    plan: Arc<dyn Plan>,
}

async fn accept(listener: TcpListener, upstream: Upstream) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, upstream.clone()));
    }
}

async fn serve(stream: TcpStream, upstream: Upstream) {
    let service = service_fn(move |request| {
        let upstream = upstream.clone();
        async move { upstream.pass(request).await }
    });
    // A failing service breaks the connection.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Upstream {
    async fn pass(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let target = header("x-amz-target").unwrap_or_default();
        let mut call = Call {
            operation: target.rsplit('.').next().unwrap_or_default().to_owned(),
            attempt: attempt(header("amz-sdk-request").unwrap_or_default()),
            asked: serde_json::from_slice(&body)?,
            shard: None,
        };
        let broken = || io::Error::from(io::ErrorKind::ConnectionReset);
        let fate = self.plan.begin(&mut call);
        match fate {
            Fate::Lost => return Err(broken()),
            Fate::Refused(status, code) => return refusal(status, code),
            Fate::Cancelled(action, reason) => return cancelled(&call, action, reason),
            Fate::Late(pause) => tokio::time::sleep(pause).await,
            Fate::Through | Fate::Unanswered => {}
        }
        let mut forward = Request::post(&self.url);
        for name in [
            "x-amz-target",
            "content-type",
            "authorization",
            "x-amz-date",
        ] {
            if let Some(value) = parts.headers.get(name) {
                forward = forward.header(name, value);
            }
        }
        let asked = Bytes::from(serde_json::to_vec(&call.asked)?);
        let forward = forward.body(Full::new(asked)).map_err(io::Error::other)?;
        let answer = self
            .client
            .request(forward)
            .await
            .map_err(io::Error::other)?;
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(io::Error::other)?;
        let mut body: Value = serde_json::from_slice(&body.to_bytes())?;
        if fate == Fate::Unanswered {
            return Err(broken());
        }
        if status == StatusCode::OK {
            self.plan.end(&call, &mut body);
        }
        response(status.as_u16(), &body)
    }
}

/// The number of the attempt, from `attempt=2; max=5`.
fn attempt(header: &str) -> u64 {
    let number = header
        .split(';')
        .find_map(|part| part.trim().strip_prefix("attempt="));
    number.and_then(|number| number.parse().ok()).unwrap_or(1)
}

fn refusal(status: u16, code: &str) -> io::Result<Response<Full<Bytes>>> {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    response(status, &json!({"__type": kind, "message": "as planned"}))
}

fn cancelled(call: &Call, action: usize, reason: &str) -> io::Result<Response<Full<Bytes>>> {
    let actions = call.asked["TransactItems"].as_array().map_or(0, Vec::len);
    let reasons = (0..actions).map(|at| if at == action { reason } else { "None" });
    let reasons: Vec<Value> = reasons.map(|code| json!({ "Code": code })).collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, as planned",
        "CancellationReasons": reasons,
    });
    response(400, &body)
}

fn response(status: u16, body: &Value) -> io::Result<Response<Full<Bytes>>> {
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(io::Error::other)
}
