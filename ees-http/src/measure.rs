//! What the contract's router measures, through the facade `metrics`, and the text of all metrics
//! that a host gives out.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};

/// Writes all metrics of a process as Prometheus text. A host that has a recorder passes one in
/// [`Options::metrics`](crate::Options::metrics).
#[derive(Clone)]
pub struct MetricsText(Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsText {
    /// Metrics that a function writes.
    pub fn new(write: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    /// The text.
    pub fn write(&self) -> String {
        (self.0)()
    }
}

impl fmt::Debug for MetricsText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsText")
    }
}

/// Counts answers and measures their times, by method, route and status. Their metrics are looked up in
/// the recorder once for each router.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<RwLock<HashMap<String, Vec<Answer>>>>);

/// The metrics of one kind of answers of a route.
#[derive(Clone)]
struct Answer {
    method: &'static str,
    status: StatusCode,
    count: Counter,
    times: Histogram,
}

impl Answers {
    /// Counts an answer. `route` is the path's template, because stream ids are too many for a label.
    pub(crate) fn count(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let method = known(method);
        let is_it = |answer: &&Answer| answer.method == method && answer.status == status;
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = routes
            .get(route)
            .and_then(|answers| answers.iter().find(is_it));
        if let Some(answer) = found {
            return answer.count(took);
        }
        drop(routes);
        let answer = Answer::of(method, route, status);
        answer.count(took);
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let answers = routes.entry(route.to_owned()).or_default();
        // Two that come at once may both be new.
        if !answers.iter().any(|answer| is_it(&answer)) {
            answers.push(answer);
        }
    }
}

impl Answer {
    fn of(method: &'static str, route: &str, status: StatusCode) -> Self {
        let (route, text) = (route.to_owned(), status.as_str().to_owned());
        Self {
            method,
            status,
            times: histogram!("ees_http_request_duration_seconds",
                "method" => method, "route" => route.clone()),
            count: counter!("ees_http_requests_total",
                "method" => method, "route" => route, "status" => text),
        }
    }

    fn count(&self, took: Duration) {
        self.times.record(took);
        self.count.increment(1);
    }
}

/// A method as a label. Clients can invent any number of methods.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let found = KNOWN.into_iter().find(|known| *known == method.as_str());
    found.unwrap_or("other")
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
