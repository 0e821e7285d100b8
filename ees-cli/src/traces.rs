//! Traces: the spans of the store, sent to an OpenTelemetry collector.
//!
//! Finished spans wait in a bounded queue, from which a thread of its own sends them. A span that finds
//! the queue full is dropped, so a collector that does not answer holds nothing up.

mod request;

use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use ees_core::SPANS;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;

use crate::Failure;
use crate::collector::{Collector, resource};
use crate::logs::Follower;

/// The longest time that the end of the process waits for the last spans to be sent.
const LAST: Duration = Duration::from_secs(5);

/// The traces of a process, if they are sent.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Starts sending, and returns what has to follow the spans of the process.
    pub(crate) fn start(endpoint: Option<&str>) -> Result<(Self, Option<Follower>), Failure> {
        let Some(endpoint) = endpoint else {
            return Ok((Self(None), None));
        };
        let wrong = |error: String| Failure::Usage(format!("`--otlp-endpoint`: {error}"));
        let collector = Collector::new("traces", endpoint, "/v1/traces")?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(collector.url())
            .with_http_client(collector)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        let follower = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("ees"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|about| about.target() == SPANS));
        Ok((Self(Some(provider)), Some(Box::new(follower))))
    }

    /// Sends what is left, but does not wait for long.
    pub(crate) async fn stop(self) {
        if let Some(provider) = self.0 {
            let last = move || provider.shutdown_with_timeout(LAST);
            // What cannot be sent has been logged.
            let _ = tokio::task::spawn_blocking(last).await;
        }
    }
}

/// The router, with a span for each request.
pub(crate) fn with_spans(router: Router) -> Router {
    router.layer(from_fn(request::follow))
}
