//! Metrics, sent to an OpenTelemetry collector: all that `/metrics` has, with the same names and labels.
//!
//! Each message has the values since the start. One that is lost takes nothing from the next.

mod headers;
mod message;
mod text;

use std::time::{Duration, SystemTime};

use ees_http::Measured;
use opentelemetry_http::{HttpClient, Request};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::collector::{Collector, resource};

/// How often metrics are sent, unless `OTEL_METRIC_EXPORT_INTERVAL` has milliseconds.
const EVERY: Duration = Duration::from_mins(1);

/// Sends metrics to a collector.
pub(crate) struct Sending {
    collector: Collector,
    headers: Vec<(String, String)>,
    every: Duration,
    since: SystemTime,
}

impl Sending {
    /// Metrics for the collector at an endpoint.
    ///
    /// # Errors
    /// [`Failure`] if the endpoint or a variable is not valid.
    pub(crate) fn to(endpoint: &str) -> Result<Self, Failure> {
        Ok(Self {
            collector: Collector::new("metrics", endpoint, "/v1/metrics")?,
            headers: headers::read(),
            every: every(),
            since: SystemTime::now(),
        })
    }

    /// Sends until the server has ended, and what was measured last.
    pub(crate) async fn follow(self, measured: Measured, ended: CancellationToken) {
        let mut due = interval(self.every);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first is due at once.
        due.tick().await;
        let mut is_reached = true;
        while ended.run_until_cancelled(due.tick()).await.is_some() {
            is_reached = self.send(&measured).await;
        }
        // A collector that did not answer shall not hold up the end.
        if is_reached {
            self.send(&measured).await;
        }
    }

    /// Sends what is measured now. Returns whether the collector answered. Why it did not has been
    /// logged.
    async fn send(&self, measured: &Measured) -> bool {
        let Some(text) = measured.text().await else {
            return true;
        };
        let body = message::of(&text::families(&text), resource_of_message(), self.since);
        let mut request = Request::post(self.collector.url());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.header("content-type", "application/x-protobuf");
        match request.body(body.into()) {
            Ok(request) => self.collector.send_bytes(request).await.is_ok(),
            Err(error) => {
                self.collector.tell(&error.to_string());
                false
            }
        }
    }
}

fn resource_of_message() -> Resource {
    let resource = ResourceAttributesWithSchema::from(&resource());
    Resource {
        attributes: resource.attributes.0,
        ..Resource::default()
    }
}

fn every() -> Duration {
    let set = std::env::var("OTEL_METRIC_EXPORT_INTERVAL").ok();
    let millis = set.and_then(|text| text.parse().ok());
    millis
        .filter(|millis| *millis > 0)
        .map_or(EVERY, Duration::from_millis)
}
