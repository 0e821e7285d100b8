//! The OpenTelemetry collector that spans and metrics are sent to, and who sends them.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::http::Uri;
use http_body_util::Full;
use opentelemetry::KeyValue;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_sdk::Resource;
use tokio::runtime::Handle;

use crate::Failure;
use crate::transport::Transport;

/// The longest time that one request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a continuing failure is logged.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// One address of a collector. Its requests run on the runtime of the program, whichever thread sends
/// them.
pub(crate) struct Collector {
    /// What is sent there, as the log says it.
    what: &'static str,
    url: String,
    transport: Transport,
    runtime: Handle,
    told: Mutex<Option<Instant>>,
}

impl Collector {
    /// The address `path` of the collector at an endpoint.
    pub(crate) fn new(what: &'static str, endpoint: &str, path: &str) -> Result<Self, Failure> {
        let url = format!("{}{path}", endpoint.trim_end_matches('/'));
        Self::at(what, url).map_err(|error| Failure::Usage(format!("`--otlp-endpoint`: {error}")))
    }

    fn at(what: &'static str, url: String) -> Result<Self, String> {
        let wrong = || "expected http://HOST:PORT or https://HOST:PORT".to_owned();
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        Ok(Self {
            what,
            url,
            transport: Transport::new(&uri, None)?.ok_or_else(wrong)?,
            runtime: Handle::current(),
            told: Mutex::default(),
        })
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Logs a failure, unless one was logged a short time ago.
    pub(crate) fn tell(&self, error: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|when| when.elapsed() >= TOLD_EVERY) {
            *told = Some(Instant::now());
            tracing::warn!(
                collector = self.url,
                "{} cannot be sent: {error}",
                self.what
            );
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

/// Who sends. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` tell more.
pub(crate) fn resource() -> Resource {
    let version = env!("CARGO_PKG_VERSION");
    let resource = Resource::builder();
    let is_named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
    let resource = if is_named {
        resource
    } else {
        resource.with_service_name("ees")
    };
    let version = KeyValue::new("service.version", version);
    resource.with_attribute(version).build()
}
