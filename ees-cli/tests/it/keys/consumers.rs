//! Keys that are limited to prefixes reach the consumers that stay within them.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Guarded, add};

/// The calls of one consumer, each with a body.
const CALLS: &[(&str, &str, &str)] = &[
    ("GET", "", ""),
    ("GET", "?passed=0", ""),
    ("POST", "/claim", r#"{"worker":"w"}"#),
    (
        "POST",
        "/ack",
        r#"{"partition":0,"generation":1,"checkpoint":0}"#,
    ),
    ("POST", "/release", r#"{"partition":0,"generation":1}"#),
    ("GET", "/parked", ""),
    ("POST", "/retry", r#"{"stream_id":"order-1"}"#),
    (
        "POST",
        "/skip",
        r#"{"stream_id":"order-1","through_changeset":1}"#,
    ),
    ("POST", "/reset", r#"{"checkpoint":0}"#),
    ("DELETE", "", ""),
];

fn definition(prefixes: &[&str]) -> String {
    json!({ "stream_prefixes": prefixes }).to_string()
}

#[test]
fn a_limited_key_reaches_consumers_within_its_prefixes() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    let rights = ["--right", "consume,admin,append"];
    let root = add(path, "root", &rights);
    let prefixes = ["--stream-prefix", "order-", "--stream-prefix", "cart-"];
    let limited = add(path, "orders", &[&rights[..], &prefixes].concat());
    let guarded = Guarded::serve(folder);
    let status = |key: &str, method: &str, path: &str, body: &str| {
        let answer = guarded.call(method, path, Some(key), body);
        (answer.status, answer.body)
    };
    let commit = status(&root, "POST", "/streams/order-1", r#"{"events":[1]}"#);
    assert_eq!(commit.0, 200, "{commit:?}");
    let (code, _) = status(&limited, "GET", "/consumers", "");
    assert_eq!(code, 403, "G18: the list tells of all");
    let beyond: [&[&str]; 4] = [&[], &["other-"], &["order"], &["order-", "stock-"]];
    for (number, prefixes) in (0..).zip(beyond) {
        let name = format!("/consumers/beyond-{number}");
        let refused = status(&limited, "PUT", &name, &definition(prefixes));
        assert_eq!(refused.0, 403, "G18: {prefixes:?}: {refused:?}");
        let defined = status(&root, "PUT", &name, &definition(prefixes));
        assert_eq!(defined.0, 201, "{defined:?}");
        for (method, call, body) in CALLS {
            let (code, body) = status(&limited, method, &format!("{name}{call}"), body);
            assert_eq!(code, 403, "G18: {method} {call}: {body}");
            let body: Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(body["error"], "FORBIDDEN", "G18: {body}");
            let message = format!(
                "the key `orders` is limited to streams with the prefix `order-`, `cart-`: \
                 consumer `beyond-{number}` gets streams that the caller may not reach"
            );
            assert_eq!(body["message"], message, "G18: it says so");
        }
        assert_eq!(status(&root, "GET", &name, "").0, 200, "it stands");
    }
    for (number, prefixes) in (0..).zip([&["order-"][..], &["order-1", "cart-"]]) {
        let name = format!("/consumers/within-{number}");
        let defined = status(&limited, "PUT", &name, &definition(prefixes));
        assert_eq!(defined.0, 201, "G18: {prefixes:?}: {defined:?}");
        for (method, call, body) in CALLS {
            let (code, body) = status(&limited, method, &format!("{name}{call}"), body);
            let passed = [200, 404, 409].contains(&code);
            assert!(passed, "G18: {method} {call}: {code} {body}");
        }
        assert_eq!(status(&root, "GET", &name, "").0, 404, "it is deleted");
    }
    let metrics = add(guarded.folder.path(), "metrics", &["--right", "metrics"]);
    let text = guarded.until(200, "/metrics", &metrics).body;
    assert!(
        text.contains(r#"ees_unauthorized_requests_total{status="403"} 45"#),
        "each is counted: {text}"
    );
}
