//! What the contract's router measures, through the facade `metrics`, and the text of all metrics
//! that a host gives out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};

/// Writes all metrics of a process as Prometheus text. A host that has a recorder passes one in
/// [`Options::metrics`](crate::Options::metrics).
#[derive(Clone)]
pub struct MetricsText(Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsText {
    /// Metrics that a function writes.
    pub fn new(write: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    pub(crate) fn write(&self) -> String {
        (self.0)()
    }
}

impl fmt::Debug for MetricsText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsText")
    }
}

/// Counts an answer. `route` is the path's template, because stream ids are too many for a label.
pub(crate) fn answered(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        // Clients can invent any number of methods.
        _ => "other",
    };
    let (method, route) = (method.to_owned(), route.to_owned());
    let status = status.as_str().to_owned();
    metrics::histogram!("ees_http_request_duration_seconds",
        "method" => method.clone(), "route" => route.clone())
    .record(took);
    metrics::counter!("ees_http_requests_total",
        "method" => method, "route" => route, "status" => status)
    .increment(1);
}

/// Counts a request that was answered 401 or 403 because of its key.
pub(crate) fn refused(status: StatusCode) {
    let status = status.as_str().to_owned();
    metrics::counter!("ees_unauthorized_requests_total", "status" => status).increment(1);
}

/// Sets a gauge to a count.
#[allow(clippy::cast_precision_loss)] // metrics are floating-point numbers
pub(crate) fn set(name: &'static str, count: u64) {
    metrics::gauge!(name).set(count as f64);
}
