//! Metrics as a message of OTLP.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use super::text::{Family, Label, Sample};

/// The values are those since the start.
const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

/// The message of metrics that were read now and are counted since `since`.
pub(super) fn of(families: &[Family<'_>], resource: Resource, since: SystemTime) -> Vec<u8> {
    let times = Times {
        since: nanos(since),
        now: nanos(SystemTime::now()),
    };
    let metrics = families.iter().filter_map(|family| metric(family, &times));
    let scope = InstrumentationScope {
        name: "ees".to_owned(),
        ..InstrumentationScope::default()
    };
    let message = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope),
                metrics: metrics.collect(),
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    };
    message.encode_to_vec()
}

/// When counting began, and when it was read: in nanoseconds since 1970.
struct Times {
    since: u64,
    now: u64,
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The metric of a family; `None` if it is of a kind that the program does not have.
fn metric(family: &Family<'_>, times: &Times) -> Option<Metric> {
    let numbers = |since| {
        let points = family.samples.iter();
        points
            .map(|sample| number(sample, since, times.now))
            .collect()
    };
    let data = match family.kind {
        "counter" => Data::Sum(Sum {
            data_points: numbers(times.since),
            aggregation_temporality: CUMULATIVE,
            is_monotonic: true,
        }),
        "gauge" => Data::Gauge(Gauge {
            data_points: numbers(0),
        }),
        "histogram" => Data::Histogram(Histogram {
            data_points: histograms(family, times),
            aggregation_temporality: CUMULATIVE,
        }),
        _ => return None,
    };
    Some(Metric {
        name: family.name.to_owned(),
        description: family.help.to_owned(),
        data: Some(data),
        ..Metric::default()
    })
}

fn number(sample: &Sample<'_>, since: u64, now: u64) -> NumberDataPoint {
    NumberDataPoint {
        attributes: sample.labels.iter().map(attribute).collect(),
        start_time_unix_nano: since,
        time_unix_nano: now,
        value: Some(Number::AsDouble(sample.value)),
        ..NumberDataPoint::default()
    }
}

fn attribute((name, value): &Label<'_>) -> KeyValue {
    KeyValue {
        key: (*name).to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.clone())),
        }),
        ..KeyValue::default()
    }
}

/// The histograms of a family. The lines of each follow each other: its buckets, its sum, its count.
fn histograms(family: &Family<'_>, times: &Times) -> Vec<HistogramDataPoint> {
    let mut done = Vec::new();
    let mut point = HistogramDataPoint::default();
    let mut before = 0;
    for sample in &family.samples {
        match sample.name.strip_prefix(family.name) {
            Some("_bucket") => {
                let up_to = count(sample.value);
                point.bucket_counts.push(up_to.saturating_sub(before));
                before = up_to;
                let bound = sample.labels.iter().find(|(name, _)| *name == "le");
                let bound = bound.and_then(|(_, bound)| bound.parse().ok());
                point
                    .explicit_bounds
                    .extend(bound.filter(|bound: &f64| bound.is_finite()));
            }
            Some("_sum") => point.sum = Some(sample.value),
            Some("_count") => {
                point.count = count(sample.value);
                point.attributes = sample.labels.iter().map(attribute).collect();
                point.start_time_unix_nano = times.since;
                point.time_unix_nano = times.now;
                done.push(std::mem::take(&mut point));
                before = 0;
            }
            _ => {}
        }
    }
    done
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it was a count
fn count(value: f64) -> u64 {
    value as u64
}
