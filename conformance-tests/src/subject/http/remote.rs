//! The raw client: any request, and the answer as it came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::Response;
use super::access::{Access, Connector};
use super::wire::WireReceipts;
use crate::running::waits_for;

/// A store behind a URL.
pub struct Remote {
    url: String,
    pub(super) access: Access,
    pub(super) client: Client<Connector, Full<Bytes>>,
    committed: Mutex<BTreeMap<String, u64>>,
}

impl Remote {
    /// The store behind a URL of plain HTTP without a slash at the end, open to everybody.
    pub fn new(url: impl Into<String>) -> Arc<Self> {
        Self::with_access(url, &Access::default())
    }

    /// The store behind a URL without a slash at the end.
    pub fn with_access(url: impl Into<String>, access: &Access) -> Arc<Self> {
        Arc::new(Self {
            url: url.into(),
            client: Client::builder(TokioExecutor::new()).build(access.connector()),
            access: access.clone(),
            committed: Mutex::default(),
        })
    }

    /// Where it is, without a slash at the end: `http://127.0.0.1:8080`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What stands before it.
    pub fn front(&self) -> super::Front {
        self.access.front
    }

    /// The last changeset of each stream that was committed through this client.
    pub fn committed(&self) -> BTreeMap<String, u64> {
        self.lock_committed().clone()
    }

    fn lock_committed(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// GETs a path and query from a server that may not be there.
    ///
    /// # Errors
    /// What went wrong, if no answer came.
    pub async fn try_get(&self, path_and_query: &str) -> Result<Response, String> {
        let uri = format!("{}{path_and_query}", self.url);
        let request = Request::builder().uri(uri).body(Bytes::new());
        let request = request.map_err(|error| chain(&error))?;
        self.exchange(request).await
    }

    /// Sends a request as it is: the path and query are not touched.
    pub async fn send(
        &self,
        method: Method,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response {
        let may_commit = method == Method::POST;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path_and_query}", self.url))
            .body(body.into())
            .expect("a request");
        for (name, value) in headers {
            request.headers_mut().append(
                HeaderName::from_bytes(name.as_bytes()).expect("a header's name"),
                HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"),
            );
        }
        let front = self.access.front;
        let front = front.answers(request.method().as_str(), path_and_query, headers);
        let answered = self.exchange(request).await;
        let mut response =
            answered.unwrap_or_else(|error| panic!("no answer from {}: {error}", self.url));
        response.front = front;
        if may_commit && response.status == StatusCode::OK {
            self.remember(&response);
        }
        response
    }

    /// Whatever else a case finds wrong with the answer to a commit.
    fn remember(&self, response: &Response) {
        let receipts = match serde_json::from_slice(&response.body) {
            Ok(WireReceipts::One(receipt)) => vec![receipt],
            Ok(WireReceipts::Set { commits }) => commits,
            Err(_) => return,
        };
        let mut committed = self.lock_committed();
        for receipt in receipts {
            let last = committed.entry(receipt.stream_id).or_default();
            *last = receipt.changeset_id.max(*last);
        }
    }

    async fn exchange(&self, mut request: Request<Bytes>) -> Result<Response, String> {
        let (method, path) = (request.method(), request.uri().path());
        let _wait = waits_for(format!("{method} {path} is answered"));
        self.access.sign(&mut request)?;
        let response = self.client.request(request.map(Full::new)).await;
        let (head, body) = response.map_err(|error| chain(&error))?.into_parts();
        let body = body.collect().await.map_err(|error| chain(&error))?;
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
            front: &[],
        })
    }

    /// GETs a path and query.
    pub async fn get(&self, path_and_query: &str) -> Response {
        self.send(Method::GET, path_and_query, &[], "").await
    }

    /// POSTs a body to a path and query.
    pub async fn post(&self, path_and_query: &str, body: impl Into<Bytes>) -> Response {
        self.send(Method::POST, path_and_query, &[], body).await
    }
}

/// An error and what caused it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}
