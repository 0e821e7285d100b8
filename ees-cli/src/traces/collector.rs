//! The collector that spans are sent to.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::http::Uri;
use http_body_util::Full;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

use crate::transport::Transport;

/// The longest time that one request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a continuing failure is logged.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// The collector that spans are sent to. Its requests run on the runtime of the program, whichever
/// thread sends them.
pub(super) struct Collector {
    url: String,
    transport: Transport,
    runtime: Handle,
    told: Mutex<Option<Instant>>,
}

impl Collector {
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let wrong = || "expected http://HOST:PORT or https://HOST:PORT".to_owned();
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        Ok(Self {
            url: url.to_owned(),
            transport: Transport::new(&uri, None)?.ok_or_else(wrong)?,
            runtime: Handle::current(),
            told: Mutex::default(),
        })
    }

    /// Logs a failure, unless one was logged a short time ago.
    fn tell(&self, error: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|when| when.elapsed() >= TOLD_EVERY) {
            *told = Some(Instant::now());
            tracing::warn!(collector = self.url, "traces cannot be sent: {error}");
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let transport = self.transport.clone();
        let (head, body) = request.into_parts();
        let mut request = Request::from_parts(head, Full::new(body));
        let path = request.uri().path().parse()?;
        *request.uri_mut() = path;
        let sending = async move {
            let answer = tokio::time::timeout(PATIENCE, transport.send(request)).await;
            let late = || format!("no answer within {} s", PATIENCE.as_secs());
            answer.unwrap_or_else(|_| Err(late()))
        };
        let sent = self.runtime.spawn(sending).await?;
        let answer = sent.inspect_err(|error| self.tell(error))?;
        if !answer.status().is_success() {
            self.tell(&format!("the answer is {}", answer.status()));
        }
        Ok(answer)
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
