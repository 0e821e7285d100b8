//! Metrics, as a scraper sees them.

use std::collections::BTreeSet;

use tempfile::TempDir;

use crate::evidence::wait_until_sealed;
use crate::http::{receive, request, send};
use crate::process::{Ees, dynamodb, ees, run, sqlite};

const GUIDE: &str = include_str!("../../../docs/operating.md");

/// The answer of `/metrics`, which has a body of any length.
pub(crate) fn scrape(address: &str) -> String {
    let answer = receive(send(address, "GET", "/metrics?pp=true", "", "").expect("a request"));
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// The value of a metric with its labels.
pub(crate) fn value(text: &str, metric: &str) -> Option<f64> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix(metric)?.trim().parse().ok())
}

/// The names of the metrics of the store in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let types = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ees_"));
    types.filter_map(|line| line.split(' ').next()).collect()
}

/// Checks that the guide and the help of the text know every metric.
fn assert_told(text: &str) {
    for name in names(text) {
        assert!(
            GUIDE.contains(&format!("`ees_{name}")),
            "the guide tells of ees_{name}"
        );
        assert!(
            text.contains(&format!("# HELP ees_{name} ")),
            "ees_{name} is described"
        );
    }
}

#[test]
fn what_happens_is_measured() {
    let folder = TempDir::new().expect("a folder");
    let ees = Ees::serve(&sqlite(&folder.path().join("ees.db")));
    for _ in 0..3 {
        let body = r#"{"events":["TELLTALE"]}"#;
        let answer = request(&ees.address(), "POST", "/streams/TELLTALE", body);
        assert!([200, 409].contains(&answer.expect("an answer").status));
    }
    ees.ok("GET", "/streams/TELLTALE/events", "");
    ees.ok("GET", "/changesets", "");
    for path in ["/consumers/mails", "/consumers/billing"] {
        let defined = request(&ees.address(), "PUT", path, "{}").expect("an answer");
        assert_eq!(defined.status, 201, "{}", defined.body);
    }
    let ack = r#"{"partition":0,"generation":7,"checkpoint":0}"#;
    let fenced = request(&ees.address(), "POST", "/consumers/billing/ack", ack);
    assert_eq!(fenced.expect("an answer").status, 409);
    let refused = request(&ees.address(), "BREW", "/nowhere", "").expect("an answer");
    assert_eq!(refused.status, 404);
    let text = scrape(&ees.address());
    assert!(!text.contains("TELLTALE"), "no stream is a label: {text}");
    let commits = r#"route="/streams/{stream_id}""#;
    for (metric, expected) in [
        (r#"ees_commits_total{outcome="committed"}"#.to_owned(), 1.0),
        (r#"ees_commits_total{outcome="conflict"}"#.to_owned(), 2.0),
        (
            r#"ees_commit_duration_seconds_count{storage="sqlite"}"#.to_owned(),
            3.0,
        ),
        ("ees_batch_changesets_count".to_owned(), 1.0),
        (
            format!(r#"ees_http_requests_total{{method="POST",{commits},status="409"}}"#),
            2.0,
        ),
        (
            r#"ees_http_requests_total{method="other",route="none",status="404"}"#.to_owned(),
            1.0,
        ),
        (
            r#"ees_storage_errors_total{kind="corrupt"}"#.to_owned(),
            0.0,
        ),
        ("ees_head_checkpoint".to_owned(), 1.0),
        (
            r#"ees_consumer_lag_changesets{consumer="billing"}"#.to_owned(),
            1.0,
        ),
        (
            r#"ees_consumer_parked_streams{consumer="mails"}"#.to_owned(),
            0.0,
        ),
        ("ees_consumer_fenced_total".to_owned(), 1.0),
        ("ees_waiting_readers".to_owned(), 0.0),
        ("ees_event_streams".to_owned(), 0.0),
        (
            format!(
                r#"ees_build_info{{version="{}"}}"#,
                env!("CARGO_PKG_VERSION")
            ),
            1.0,
        ),
    ] {
        assert_eq!(value(&text, &metric), Some(expected), "{metric} in {text}");
    }
    let lag = r#"ees_consumer_lag_seconds{consumer="mails"}"#;
    let global = r#"ees_read_duration_seconds_count{kind="global"}"#;
    for metric in [
        "ees_storage_bytes",
        "process_resident_memory_bytes",
        lag,
        global,
    ] {
        assert!(
            value(&text, metric).is_some_and(|value| value > 0.0),
            "{metric} in {text}"
        );
    }
    assert_told(&text);
    ees.ok("DELETE", "/consumers/mails", "");
    let text = scrape(&ees.address());
    assert!(!text.contains("mails"), "it is gone: {text}");
    assert!(text.contains(r#"{consumer="billing"}"#), "{text}");
}

#[test]
fn the_log_is_measured() {
    let ees = Ees::serve("memory:");
    ees.ok("POST", "/streams/s", r#"{"events":[1]}"#);
    wait_until_sealed(&ees, 1);
    let text = scrape(&ees.address());
    assert_eq!(value(&text, "ees_log_size"), Some(1.0), "{text}");
    assert_eq!(value(&text, "ees_log_lag"), Some(0.0), "{text}");
    for kind in ["unavailable", "corrupt", "other"] {
        let metric = format!(r#"ees_seal_failures_total{{kind="{kind}"}}"#);
        assert_eq!(value(&text, &metric), Some(0.0), "{text}");
    }
    assert_told(&text);
}

#[test]
fn operators_have_a_listener_of_their_own() {
    let folder = TempDir::new().expect("a folder");
    let keys = folder.path().join("keys.toml");
    std::fs::write(&keys, "# none\n").expect("a file");
    let keys = keys.display().to_string();
    let serve = [
        "--storage",
        "memory:",
        "--listen",
        "127.0.0.1:0",
        "--keys",
        &keys,
    ];
    let operators = ["--metrics-listen", "127.0.0.1:0"];
    let ees = Ees::spawn(ees(&[&serve[..], &operators].concat()));
    let log = ees.log_line("metrics and health checks are on http://");
    let (_, address) = log.rsplit_once("http://").expect("a URL");
    assert!(scrape(address.trim()).contains("ees_head_checkpoint 0"));
    for (path, status) in [("/health/ready", 200), ("/streams", 404), ("/version", 404)] {
        let answer = request(address.trim(), "GET", path, "").expect("an answer");
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    let refused = request(&ees.address(), "GET", "/metrics", "").expect("an answer");
    assert_eq!(refused.status, 401, "G18: {}", refused.body);
    let rebound = send(
        address.trim(),
        "GET",
        "/metrics HTTP/1.0\r\nHost: evil.example\r\nX:",
        "",
        "",
    );
    assert_eq!(
        receive(rebound.expect("a request"))
            .expect("an answer")
            .status,
        421
    );
}

#[test]
fn a_store_that_orders_after_the_commit_tells_how_far_it_is() {
    let emulator = ees_dynamodb_testkit::Emulator::start().expect("DynamoDB");
    let storage = dynamodb(&emulator);
    let (code, _, errors) = run(&["admin", "create-tables", "--storage", &storage]);
    assert_eq!(code, Some(0), "{errors}");
    let ees = Ees::serve(&storage);
    ees.ok("POST", "/streams/s", r#"{"events":[1]}"#);
    ees.ok("GET", "/changesets?checkpoint=0&wait=20", "");
    let text = scrape(&ees.address());
    assert!(value(&text, "ees_index_lag_seconds").is_some(), "{text}");
    for reason in ["feed", "storage", "gap"] {
        let metric = format!(r#"ees_index_held_seconds{{reason="{reason}"}}"#);
        assert!(value(&text, &metric).is_some(), "{metric} in {text}");
    }
    assert_told(&text);
}
