//! Metrics, as an OpenTelemetry collector receives them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, Metric, NumberDataPoint};
use prost::Message;
use tempfile::TempDir;

use crate::collector::{Collector, assert_is_ees, sending};
use crate::http::request;
use crate::metrics::{scrape, value};
use crate::process::sqlite;

/// The values of a message, as lines of `/metrics` have them.
fn lines(collector: &Collector) -> BTreeMap<String, f64> {
    let message = collector.next("/v1/metrics");
    let received = ExportMetricsServiceRequest::decode(&message[..]).expect("metrics");
    let mut lines = BTreeMap::new();
    for resource in received.resource_metrics {
        assert_is_ees(&format!("{:?}", resource.resource));
        let scopes = resource.scope_metrics.into_iter();
        for metric in scopes.flat_map(|scope| scope.metrics) {
            lines.extend(lines_of(metric));
        }
    }
    lines
}

fn lines_of(metric: Metric) -> Vec<(String, f64)> {
    let Metric { name, data, .. } = metric;
    match data.expect("data") {
        Data::Gauge(gauge) => gauge
            .data_points
            .iter()
            .map(|point| number(&name, point))
            .collect(),
        Data::Sum(sum) => {
            assert!(
                sum.is_monotonic && sum.aggregation_temporality == 2,
                "{sum:?}"
            );
            sum.data_points
                .iter()
                .map(|point| number(&name, point))
                .collect()
        }
        Data::Histogram(histogram) => {
            assert_eq!(histogram.aggregation_temporality, 2);
            let points = histogram.data_points.iter();
            points
                .flat_map(|point| histogram_lines(&name, point))
                .collect()
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn number(name: &str, point: &NumberDataPoint) -> (String, f64) {
    let value = match point.value {
        Some(Number::AsDouble(value)) => value,
        other => panic!("{name}: {other:?}"),
    };
    (line(name, &point.attributes, None), value)
}

#[allow(clippy::cast_precision_loss)] // metrics are floating-point numbers
fn histogram_lines(name: &str, point: &HistogramDataPoint) -> Vec<(String, f64)> {
    let bounds = point.explicit_bounds.iter().map(ToString::to_string);
    let bounds = bounds.chain(["+Inf".to_owned()]);
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    let mut counted = 0;
    let counts = point.bucket_counts.iter().map(|count| {
        counted += count;
        counted as f64
    });
    let bucket = |bound: String| line(&format!("{name}_bucket"), &point.attributes, Some(&bound));
    let mut lines: Vec<_> = bounds.map(bucket).zip(counts).collect();
    let whole = [
        ("sum", point.sum.expect("a sum")),
        ("count", point.count as f64),
    ];
    lines.extend(whole.map(|(of, value)| {
        (
            line(&format!("{name}_{of}"), &point.attributes, None),
            value,
        )
    }));
    lines
}

fn line(name: &str, attributes: &[KeyValue], bound: Option<&str>) -> String {
    let mut labels = Vec::new();
    for label in attributes {
        let value = label.value.as_ref().and_then(|value| value.value.clone());
        let Some(Value::StringValue(value)) = value else {
            panic!("{label:?}");
        };
        labels.push(format!("{}=\"{value}\"", label.key));
    }
    labels.extend(bound.map(|bound| format!("le=\"{bound}\"")));
    match labels.as_slice() {
        [] => name.to_owned(),
        labels => format!("{name}{{{}}}", labels.join(",")),
    }
}

/// What `/metrics` has, apart from lines about the scrape itself.
fn scraped(text: &str) -> BTreeSet<&str> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let names = lines
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, _)| name);
    names
        .filter(|name| !name.contains("route=\"/metrics\""))
        .collect()
}

#[test]
fn a_collector_gets_what_metrics_has() {
    let folder = TempDir::new().expect("a folder");
    let collector = Collector::start();
    let ees = sending(&sqlite(&folder.path().join("ees.db")), &collector.address);
    let defined = request(&ees.address(), "PUT", "/consumers/mails", "{}").expect("an answer");
    assert_eq!(defined.status, 201, "{}", defined.body);
    ees.ok("POST", "/streams/TELLTALE", r#"{"events":[1,2]}"#);
    ees.ok("GET", "/streams/TELLTALE/changesets", "");
    // Whether a batch and what is behind the commits has been counted, a scrape tells.
    let of_head = "ees_head_checkpoint";
    let sealed = |lines: &BTreeMap<String, f64>| lines.get("ees_log_size") == Some(&1.0);
    let mut sent = lines(&collector);
    while sent.get(of_head) != Some(&1.0) || !sealed(&sent) {
        sent = lines(&collector);
    }
    let text = scrape(&ees.address());
    let missing: Vec<_> = scraped(&text)
        .into_iter()
        .filter(|name| !sent.contains_key(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:#?} are not in {sent:#?}");
    let commits = r#"route="/streams/{stream_id}""#;
    for metric in [
        r#"ees_commits_total{outcome="committed"}"#.to_owned(),
        r#"ees_commit_duration_seconds_count{storage="sqlite"}"#.to_owned(),
        r#"ees_commit_duration_seconds_sum{storage="sqlite"}"#.to_owned(),
        r#"ees_commit_duration_seconds_bucket{storage="sqlite",le="0.001"}"#.to_owned(),
        r#"ees_commit_duration_seconds_bucket{storage="sqlite",le="+Inf"}"#.to_owned(),
        r#"ees_read_duration_seconds_count{kind="stream"}"#.to_owned(),
        r#"ees_batch_changesets_bucket{le="1"}"#.to_owned(),
        format!(r#"ees_http_requests_total{{method="POST",{commits},status="200"}}"#),
        r#"ees_consumer_lag_changesets{consumer="mails"}"#.to_owned(),
        format!(
            r#"ees_build_info{{version="{}"}}"#,
            env!("CARGO_PKG_VERSION")
        ),
    ] {
        let of_text = value(&text, &metric);
        assert!(of_text.is_some(), "{metric} in {text}");
        assert_eq!(sent.get(&metric).copied(), of_text, "{metric}");
    }
    assert!(
        !sent.keys().any(|line| line.contains("TELLTALE")),
        "{sent:#?}"
    );
    // What happens last is sent before the end.
    ees.ok("POST", "/streams/last", r#"{"events":[1]}"#);
    ees.signal("TERM");
    assert_eq!(ees.wait().0, Some(0));
    let committed = r#"ees_commits_total{outcome="committed"}"#;
    while sent.get(committed) != Some(&2.0) {
        sent = lines(&collector);
    }
}

#[test]
fn a_silent_collector_of_metrics_holds_nothing_up() {
    // It accepts connections, and never reads.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let ees = sending("memory:", &address);
    ees.ok("POST", "/streams/s", r#"{"events":[1]}"#);
    ees.wait_for_log("metrics cannot be sent: no answer within 5 s");
    ees.ok("POST", "/streams/other", r#"{"events":[2]}"#);
    assert!(scrape(&ees.address()).contains("ees_head_checkpoint 2"));
    ees.signal("TERM");
    let (code, _, log) = ees.wait();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.matches("metrics cannot be sent").count(), 1, "{log}");
}
