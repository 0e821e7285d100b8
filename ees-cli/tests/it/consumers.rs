//! `ees consumers`, against a server with a consumer that has a parked stream.

use serde_json::{Value, json};

use crate::http::request;
use crate::process::{Ees, run};

/// A server with the consumer `billing`, which has parked the stream `order-1`.
fn served() -> Ees {
    let ees = Ees::serve("memory:");
    let definition = r#"{"retry_seconds": []}"#;
    let defined = request(&ees.address(), "PUT", "/consumers/billing", definition);
    assert_eq!(defined.expect("an answer").status, 201);
    for stream in ["order-1", "order-2"] {
        ees.ok("POST", &format!("/streams/{stream}"), r#"{"events": [1]}"#);
    }
    let batch = ees.ok("POST", "/consumers/billing/claim", r#"{"worker": "w1"}"#);
    let failed = json!({"stream_id": "order-1", "changeset_id": 1, "error": "no\u{1b} customer"});
    let ack = json!({
        "partition": batch["partition"],
        "generation": batch["generation"],
        "checkpoint": batch["next_checkpoint"],
        "failed": [failed],
    });
    ees.ok("POST", "/consumers/billing/ack", &ack.to_string());
    ees
}

fn consumers(ees: &Ees, args: &[&str]) -> (Option<i32>, String, String) {
    let url = format!("http://{}", ees.address());
    run(&[&["consumers", "--url", &url], args].concat())
}

/// What a call prints that succeeds.
fn printed(ees: &Ees, args: &[&str]) -> String {
    let (code, stdout, stderr) = consumers(ees, args);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    stdout
}

fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines();
    lines
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[test]
fn consumers_are_shown() {
    let ees = served();
    let list = printed(&ees, &["list"]);
    assert_eq!(rows(&list)[1], ["billing", "1", "0", "0.0", "1"], "{list}");
    let show = printed(&ees, &["show", "billing"]);
    assert!(show.starts_with("billing: 0 changesets behind"), "{show}");
    assert_eq!(
        rows(&show).last().expect("a row")[..3],
        ["0", "2", "1"],
        "{show}"
    );
    let parked = printed(&ees, &["parked", "billing"]);
    assert!(parked.contains("waits for an operator"), "{parked}");
    assert!(
        parked.contains("no  customer"),
        "no control character: {parked}"
    );
    let behind = printed(&ees, &["parked", "billing", "--after", "order-1"]);
    assert_eq!(rows(&behind).len(), 1, "only the head: {behind}");
    let json: Value = serde_json::from_str(&printed(&ees, &["list", "--json"])).expect("JSON");
    assert_eq!(json[0]["partitions"][0]["parked"], 1, "{json}");
}

#[test]
fn parked_streams_are_retried_and_skipped() {
    let ees = served();
    printed(&ees, &["retry", "billing", "order-1"]);
    let batch = ees.ok("POST", "/consumers/billing/claim", r#"{"worker": "w1"}"#);
    assert_eq!(batch["kind"], "retry", "{batch}");
    printed(&ees, &["skip", "billing", "order-1", "--through", "1"]);
    let parked = printed(&ees, &["parked", "billing"]);
    assert_eq!(rows(&parked)[1][1], "2", "it goes on there: {parked}");
    printed(&ees, &["reset", "billing", "0"]);
    let batch = ees.ok("POST", "/consumers/billing/claim", r#"{"worker": "w1"}"#);
    assert_eq!(
        batch["changesets"].as_array().map(Vec::len),
        Some(2),
        "{batch}"
    );
}

#[test]
fn what_is_refused_is_told() {
    let ees = served();
    for (args, exit, told) in [
        (&["show", "other"][..], 1, "404 CONSUMER_NOT_FOUND"),
        (&["retry", "billing", "order-2"], 1, "404 STREAM_NOT_PARKED"),
        (&["reset", "billing", "9"], 1, "400 CHECKPOINT_BEYOND_HEAD"),
        (&["show", "a/b"], 2, "a/b"),
    ] {
        let (code, _, stderr) = consumers(&ees, args);
        assert_eq!(code, Some(exit), "{stderr}");
        assert!(stderr.contains(told), "{stderr}");
    }
}
