//! The client of commands that ask a server: one connection for each request, and an end to each wait.

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::{Method, Request, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::Value;

use crate::args::RemoteArgs;
use crate::transport::Transport;

/// The longest time that one request may take, unless a command waits longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The id of the store that answers.
    pub(crate) store: Option<String>,
    /// The body.
    pub(crate) bytes: Bytes,
    read: OnceLock<Value>,
}

impl Answer {
    /// A field of the body.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.body().get(name)?.as_str()
    }

    /// The body as JSON; null if it is none.
    fn body(&self) -> &Value {
        let read = || serde_json::from_slice(&self.bytes).unwrap_or_default();
        self.read.get_or_init(read)
    }

    /// The body as text.
    pub(crate) fn as_text(&self) -> Result<&str, String> {
        std::str::from_utf8(&self.bytes).map_err(|_| "the answer is not UTF-8".to_owned())
    }

    /// Why the server did not do what it was asked for.
    pub(crate) fn refusal(&self) -> String {
        let (status, code) = (self.status, self.text("error").unwrap_or("no code"));
        let why = self.text("message").unwrap_or("the answer has no message");
        format!("{status} {code}: {why}")
    }

    /// The body of an answer that is none of an error.
    pub(crate) fn accepted(self) -> Result<Value, String> {
        if (200..300).contains(&self.status) {
            return Ok(self.body().clone());
        }
        Err(self.refusal())
    }
}

/// A server and how to reach it.
pub(crate) struct Client {
    url: String,
    transport: Transport,
    key: Option<String>,
    patience: Duration,
}

impl Client {
    pub(crate) fn new(args: &RemoteArgs) -> Result<Self, String> {
        // The URL is not shown: it may have a password.
        let wrong = || "`--url`: expected http://HOST:PORT or https://HOST:PORT".to_owned();
        let url: Uri = args.url.parse().map_err(|_| wrong())?;
        let is_whole = matches!(url.path(), "" | "/") && url.query().is_none();
        let transport = Transport::new(&url, args.access.ca.as_deref())?;
        Ok(Self {
            url: args.url.clone(),
            transport: transport.filter(|_| is_whole).ok_or_else(wrong)?,
            key: args.access.key.clone(),
            patience: PATIENCE,
        })
    }

    /// The same client, which waits longer for an answer.
    pub(crate) fn waiting(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The URL of the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Asks for a path.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, String> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Sends JSON to a path.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        self.send(Method::POST, path, body.to_string().into()).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, String> {
        let request = self.request(method, path, body)?;
        let asked =
            tokio::time::timeout(self.patience, Box::pin(self.transport.send(request))).await;
        let late = || format!("no answer within {} s", self.patience.as_secs());
        let answer = asked.unwrap_or_else(|_| Err(late()));
        let answer = answer.map_err(|error| format!("{}: {error}", self.url))?;
        let store = answer.headers().get("ees-store");
        let store = store.and_then(|store| store.to_str().ok());
        Ok(Answer {
            status: answer.status().as_u16(),
            store: store.map(str::to_owned),
            bytes: answer.into_body(),
            read: OnceLock::new(),
        })
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        // The error would show the key.
        let request = request.body(Full::new(body));
        request.map_err(|_| "the key cannot be sent in a header".to_owned())
    }
}
