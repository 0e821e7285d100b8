//! Logs: for machines line by line, and nothing in them that clients wrote.

use std::process::Command;

use ees_postgres_testkit::Database;
use serde_json::Value;
use tempfile::TempDir;

use super::{Ees, ees, run, sqlite};
use crate::http;

/// What clients write everywhere, to be looked for.
const MARKER: &str = "d5a9-marker";

/// Whatever a client can do, with the marker in it.
fn make_requests(address: &str) {
    let stream = format!("/streams/{MARKER}");
    let body = format!(r#"{{"events":["{MARKER}"],"metadata":{{"{MARKER}":"{MARKER}"}}}}"#);
    for (method, path, body, status) in [
        ("POST", stream.clone(), body.as_str(), 200),
        ("POST", stream.clone(), &body, 409),
        (
            "POST",
            format!("{stream}?expected_last_event=9"),
            &body,
            400,
        ),
        ("POST", stream.clone(), MARKER, 400),
        (
            "POST",
            format!("{stream}?expected_last_event={MARKER}"),
            &body,
            400,
        ),
        ("GET", stream.clone(), "", 200),
        ("GET", format!("{stream}/changesets"), "", 200),
        ("GET", format!("{stream}/events?from={MARKER}"), "", 400),
        ("GET", format!("{stream}/{MARKER}"), "", 404),
        ("PUT", stream.clone(), "", 405),
        ("GET", format!("/{MARKER}"), "", 404),
        ("GET", format!("/changesets?{MARKER}"), "", 400),
        ("GET", format!("/events?checkpoint={MARKER}"), "", 400),
    ] {
        let answer = http::request(address, method, &path, body).expect("an answer");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
    let key = format!("Idempotency-Key: {MARKER}\r\nUser-Agent: {MARKER}\r\n");
    let sent = http::send(address, "POST", &format!("{stream}-2"), &key, &body);
    let answer = http::receive(sent.expect("a request")).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Serves, makes requests, stops; the log.
fn log_of(mut command: Command, storage: &str) -> String {
    command.args(["--storage", storage, "--listen", "127.0.0.1:0"]);
    let server = Ees::spawn(command);
    make_requests(&server.address());
    server.signal("TERM");
    let (code, _, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
    log
}

fn assert_no_marker(log: &str) {
    let line = log.lines().find(|line| line.contains(MARKER));
    assert_eq!(line, None, "the log holds nothing that a client wrote");
}

#[test]
fn json_logs_are_an_object_a_line() {
    let log = log_of(ees(&["--log-format", "json", "--log", "debug"]), "memory:");
    assert_no_marker(&log);
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let answered: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "answered")
        .collect();
    let told = |status: u64, code: &str| {
        let mut answered = answered.iter();
        answered.any(|line| line["status"] == status && line["code"] == code)
    };
    assert!(told(409, "OPTIMISTIC_CONCURRENCY_EXCEPTION"), "{log}");
    assert!(told(404, "INVALID_ENDPOINT"), "{log}");
    assert!(
        answered.len() >= 13,
        "a line per answer, not {}",
        answered.len()
    );
    for line in answered {
        for field in [
            "timestamp",
            "level",
            "request_id",
            "method",
            "route",
            "status",
            "micros",
        ] {
            assert!(!line[field].is_null(), "`{field}` in {line}");
        }
    }
}

/// A shipper of logs drops a line that is not JSON.
#[test]
fn what_ends_the_process_is_told_as_the_log_is() {
    let folder = TempDir::new().expect("a folder");
    let storage = sqlite(&folder.path().join("missing/ees.db"));
    let args = [
        "--storage",
        &storage,
        "--log",
        "off",
        "--log-format",
        "json",
    ];
    let (code, _, stderr) = run(&args);
    assert_eq!(code, Some(3), "{stderr}");
    let line: Value = serde_json::from_str(stderr.trim()).expect("one line of JSON");
    assert_eq!(
        (&line["level"], &line["exit_code"]),
        (&"ERROR".into(), &3.into())
    );
    let message = line["message"].as_str().unwrap_or_default();
    assert!(message.contains("missing/ees.db"), "{line}");
    assert!(line["timestamp"].is_string(), "{line}");
}

#[test]
fn the_most_talkative_log_holds_no_payload() {
    let folder = TempDir::new().expect("a folder");
    let storage = sqlite(&folder.path().join("ees.db"));
    assert_no_marker(&log_of(ees(&["--log", "debug"]), &storage));
}

/// G19: PostgreSQL notices what its disk damages only if its cluster has checksums.
#[test]
fn a_cluster_without_checksums_is_told() {
    let database = Database::fresh().unwrap();
    let has_checksums = database.sql("SHOW data_checksums").unwrap() == "on";
    let url = format!("{}?allow_fsync_off=true", database.url());
    let log = log_of(ees(&[]), &url);
    let is_told = log.contains("the cluster has no data checksums");
    assert_eq!(is_told, !has_checksums, "{log}");
    assert_eq!(log.contains("pg_checksums --enable"), is_told, "{log}");
}
