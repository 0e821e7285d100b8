//! Every route of the description, with every kind of key.

use serde_json::Value;
use tempfile::TempDir;

use super::{Guarded, add};

/// The calls that need no key.
const PUBLIC: &[&str] = &[
    "/",
    "/version",
    "/openapi.json",
    "/health/live",
    "/health/ready",
];

/// The secrets of the keys that are tried.
struct Secrets {
    expired: String,
    rights: Vec<(&'static str, String)>,
    elsewhere: String,
}

impl Secrets {
    fn make(folder: &TempDir) -> Self {
        let path = folder.path();
        let rights = ["read", "append", "consume", "metrics", "admin"];
        let all = ["--right", "read,append,consume,metrics,admin"];
        Self {
            expired: add(
                path,
                "expired",
                &[&all[..], &["--expires", "2020-01-01"]].concat(),
            ),
            rights: rights
                .map(|right| (right, add(path, right, &["--right", right])))
                .into(),
            elsewhere: add(
                path,
                "elsewhere",
                &[&all[..], &["--stream-prefix", "other-"]].concat(),
            ),
        }
    }
}

/// The calls of the description: method, path, and the right that each says to need.
fn calls(description: &Value) -> Vec<(String, String, Option<String>)> {
    let paths = description["paths"].as_object().expect("paths");
    let calls = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").iter();
        methods.map(|(method, call)| {
            let right = call["security"][0]["key"][0].as_str().map(str::to_owned);
            (method.to_uppercase(), path.clone(), right)
        })
    });
    calls.collect()
}

/// The body of a call. The streams of a set are in its body.
fn body(path: &str) -> &'static str {
    match path {
        "/commits" => r#"{"commits":[{"stream_id":"s-1","events":[1]}]}"#,
        _ => "{}",
    }
}

/// Asserts that a call is refused, and returns the message.
fn refused(guarded: &Guarded, call: (&str, &str), key: Option<&str>, status: u16) -> String {
    let (method, path) = call;
    let answer = guarded.call(method, path, key, body(path));
    let told = format!("G18: {method} {path}: {}", answer.body);
    assert_eq!(answer.status, status, "{told}");
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    let code = if status == 401 {
        "UNAUTHORIZED"
    } else {
        "FORBIDDEN"
    };
    assert_eq!(body["error"], code, "{told}");
    body["message"].as_str().expect("a message").to_owned()
}

#[test]
fn every_route_asks_for_a_key_with_its_right() {
    let folder = TempDir::new().expect("a folder");
    let secrets = Secrets::make(&folder);
    let guarded = Guarded::serve(folder);
    let described = guarded.call("GET", "/openapi.json", None, "");
    let description = serde_json::from_str(&described.body).expect("JSON");
    let calls = calls(&description);
    assert!(calls.len() > 10, "{calls:?}");
    for (method, path, right) in calls {
        let call = (method.as_str(), path.replace("{stream_id}", "s-1"));
        let call = (call.0, call.1.replace("{name}", "n"));
        let tile = call.1.replace("{level}", "0").replace("{number}", "000");
        let call = (call.0, tile);
        let call = (call.0, call.1.as_str());
        let Some(right) = right else {
            assert!(PUBLIC.contains(&path.as_str()), "{path} states its right");
            let answer = guarded.call(call.0, call.1, None, "");
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            continue;
        };
        assert!(!PUBLIC.contains(&path.as_str()), "{path}");
        refused(&guarded, call, None, 401);
        let (_, known) = &secrets.rights[0];
        refused(&guarded, call, Some("ees_nonsense"), 401);
        refused(&guarded, call, Some(&known.replace("ees_", "ees-")), 401);
        let expired = refused(&guarded, call, Some(&secrets.expired), 401);
        assert!(expired.contains("`expired` has expired"), "{expired}");
        for (of, secret) in &secrets.rights {
            if *of == right {
                let answer = guarded.call(call.0, call.1, Some(secret), body(call.1));
                let passed = ![401, 403, 500, 503].contains(&answer.status);
                assert!(passed, "G18: {method} {path}: {}", answer.body);
            } else {
                let lack = refused(&guarded, call, Some(secret), 403);
                assert!(
                    lack.contains(&format!("lacks the right `{right}`")),
                    "{lack}"
                );
            }
        }
        if right == "read" || right == "append" {
            let beyond = refused(&guarded, call, Some(&secrets.elsewhere), 403);
            assert!(beyond.contains("prefix `other-`"), "{beyond}");
        }
    }
}

#[test]
fn a_key_stays_within_its_prefixes() {
    let folder = TempDir::new().expect("a folder");
    let prefixes = ["--stream-prefix", "order-", "--stream-prefix", "a/ü"];
    let rights = ["--right", "read", "--right", "append"];
    let key = add(folder.path(), "orders", &[&rights[..], &prefixes].concat());
    let guarded = Guarded::serve(folder);
    let body = r#"{"events":[1]}"#;
    for own in ["order-1", "order%2D2", "a%2F%C3%BC1"] {
        let path = format!("/streams/{own}");
        assert_eq!(
            guarded.call("POST", &path, Some(&key), body).status,
            200,
            "{own}"
        );
        for read in ["", "/changesets", "/events"] {
            let answer = guarded.call("GET", &format!("{path}{read}"), Some(&key), "");
            assert_eq!(answer.status, 200, "G18: {own}{read}: {}", answer.body);
        }
    }
    for other in ["order", "Order-1", "orders", "%20order-1", "a", "a%2Fu"] {
        for (method, path) in [("POST", ""), ("GET", ""), ("GET", "/events")] {
            let path = format!("/streams/{other}{path}");
            refused(&guarded, (method, &path), Some(&key), 403);
        }
    }
    for within in [
        "stream_prefix=order-",
        "stream_prefix=order-1&stream_prefix=a/%C3%BC",
    ] {
        for path in ["/changesets", "/events"] {
            let path = format!("{path}?{within}");
            let answer = guarded.call("GET", &path, Some(&key), "");
            assert_eq!(answer.status, 200, "G18: {path}: {}", answer.body);
        }
    }
    for beyond in [
        "",
        "event_type=paid",
        "stream_prefix=",
        "stream_prefix=order-&stream_prefix=c",
    ] {
        for path in ["/changesets", "/events"] {
            refused(
                &guarded,
                ("GET", &format!("{path}?{beyond}")),
                Some(&key),
                403,
            );
        }
    }
    // What is no call is told to those who have a key.
    for (method, path, status) in [("GET", "/nowhere", 404), ("DELETE", "/streams/s", 405)] {
        assert_eq!(
            guarded.call(method, path, Some(&key), "").status,
            status,
            "{path}"
        );
        assert_eq!(
            guarded.call(method, path, None, "").status,
            401,
            "G18: {path}"
        );
    }
}

#[test]
fn a_refusal_shows_nothing_to_those_who_may_not_read() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    let writer = add(path, "writer", &["--right", "append"]);
    let both = add(path, "both", &["--right", "append,read"]);
    let guarded = Guarded::serve(folder);
    let commit = |key: &str, path: &str, id: &str, event: &str| {
        let headers = format!("Authorization: Bearer {key}\r\nIdempotency-Key: {id}\r\n");
        let body = format!(r#"{{"events":["{event}"]}}"#);
        let sent = crate::http::send(&guarded.ees.address(), "POST", path, &headers, &body);
        crate::http::receive(sent.expect("a request")).expect("an answer")
    };
    assert_eq!(commit(&both, "/streams/s", "one", "PERSONAL").status, 200);
    for (id, status, fields) in [
        ("two", 409, "forthcoming_changesets"),
        ("one", 422, "changeset"),
    ] {
        let shown = commit(&both, "/streams/s", id, "other");
        let hidden = commit(&writer, "/streams/s", id, "other");
        assert_eq!(
            (shown.status, hidden.status),
            (status, status),
            "{}",
            hidden.body
        );
        assert!(shown.body.contains("PERSONAL"), "{}", shown.body);
        assert!(!hidden.body.contains("PERSONAL"), "G18: {}", hidden.body);
        let hidden: Value = serde_json::from_str(&hidden.body).expect("JSON");
        assert!(hidden.get(fields).is_none(), "G18: {hidden}");
        let end = if status == 409 {
            "last_changeset"
        } else {
            "changeset_id"
        };
        assert_eq!(hidden[end], 1, "{hidden}");
    }
}
