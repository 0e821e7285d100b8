//! What packaging/ gives to Prometheus and Grafana, with the real Prometheus.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::http::{receive, request, send};
use crate::process::{Ees, LONG, dynamodb, ended, run, sqlite};

fn packaging(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging");
    root.join(name)
}

#[test]
fn each_alert_fires_in_trouble_and_only_then() {
    let alerts = packaging("prometheus/alerts.yml").display().to_string();
    let test = packaging("prometheus/alerts_test.yml")
        .display()
        .to_string();
    let config = packaging("prometheus/prometheus.yml").display().to_string();
    for args in [
        ["check", "rules", &alerts],
        ["test", "rules", &test],
        ["check", "config", &config],
    ] {
        let mut promtool = Command::new("promtool");
        promtool.args(args);
        let (code, stdout, stderr) = ended(promtool);
        assert_eq!(code, Some(0), "{args:?}: {stdout}{stderr}");
    }
    let (alerts, tests) = (fs::read_to_string(alerts), fs::read_to_string(test));
    let (alerts, tests) = (alerts.expect("a file"), tests.expect("a file"));
    let guide = include_str!("../../../docs/operating.md");
    let names = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    for name in names {
        assert_eq!(
            tests.matches(&format!("alertname: {name}")).count(),
            2,
            "{name} is tested"
        );
        assert!(
            guide.contains(&format!("`{name}`")),
            "the guide tells of {name}"
        );
    }
}

/// A Prometheus that scrapes a server; killed when it is dropped.
struct Prometheus {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Prometheus {
    fn start(target: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let config = fs::read_to_string(packaging("prometheus/prometheus.yml")).expect("a file");
        assert!(config.contains("127.0.0.1:9100") && config.contains("scrape_interval: 15s"));
        let config = config.replace("127.0.0.1:9100", target);
        let config = config.replace("scrape_interval: 15s", "scrape_interval: 1s");
        fs::write(folder.path().join("prometheus.yml"), config).expect("a file");
        let alerts = fs::read(packaging("prometheus/alerts.yml")).expect("a file");
        fs::write(folder.path().join("alerts.yml"), alerts).expect("a file");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let file = |name: &str| folder.path().join(name).display().to_string();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", file("data")))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus starts: `./run-tests.sh` installs it");
        Self {
            child,
            address,
            _folder: folder,
        }
    }

    /// Asks until a query has a result.
    fn until_found(&self, query: &str) {
        let encoded: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let path = format!("/api/v1/query?query={encoded}");
        let begun = Instant::now();
        loop {
            let sent = send(&self.address, "GET", &path, "", "").and_then(receive);
            let body = sent.map(|answer| answer.body).unwrap_or_default();
            let found: Value = serde_json::from_str(&body).unwrap_or_default();
            assert_ne!(found["status"], "error", "{query}: {body}");
            let count = found["data"]["result"].as_array().map_or(0, Vec::len);
            if count > 0 {
                return;
            }
            assert!(
                begun.elapsed() < LONG,
                "nothing is found by {query}: {body}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_query_of_the_dashboard_finds_something() {
    let folder = TempDir::new().expect("a folder");
    let ees = Ees::serve(&sqlite(&folder.path().join("ees.db")));
    let prometheus = Prometheus::start(&ees.address());
    let commit = || {
        for path in ["/streams/a", "/streams/b"] {
            let answer = request(&ees.address(), "POST", path, r#"{"events":[1]}"#);
            answer.expect("an answer");
        }
        ees.ok("GET", "/streams/a", "");
        ees.ok("GET", "/streams/a/events", "");
        ees.ok("GET", "/changesets", "");
    };
    commit();
    let defined = request(&ees.address(), "PUT", "/consumers/billing", "{}");
    assert_eq!(defined.expect("an answer").status, 201);
    prometheus.until_found("up == 1");
    commit();
    for query in queries_of_the_dashboard(false) {
        prometheus.until_found(&query);
    }
}

/// Only a storage that orders after the commit has an index.
#[test]
fn the_dashboard_shows_the_lag_of_the_index() {
    let emulator = ees_dynamodb_testkit::Emulator::start().expect("DynamoDB");
    let storage = dynamodb(&emulator);
    let (code, _, errors) = run(&["admin", "create-tables", "--storage", &storage]);
    assert_eq!(code, Some(0), "{errors}");
    let ees = Ees::serve(&storage);
    let prometheus = Prometheus::start(&ees.address());
    for query in queries_of_the_dashboard(true) {
        prometheus.until_found(&query);
    }
}

/// The queries about the index, or all others.
fn queries_of_the_dashboard(of_index: bool) -> Vec<String> {
    let dashboard = fs::read_to_string(packaging("grafana/ees.json")).expect("a file");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let queries = targets.map(|target| target["expr"].as_str().expect("a query"));
    let queries = queries.filter(|query| query.contains("ees_index_") == of_index);
    let queries = queries.map(|query| query.replace("$__rate_interval", "1m"));
    let queries: Vec<_> = queries.collect();
    assert!(queries.len() > if of_index { 1 } else { 10 });
    queries
}
