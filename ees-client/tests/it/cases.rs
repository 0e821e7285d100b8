//! Plays the cases of clients/cases, and compares what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use ees_client::{Error, EventStore, Retry};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use crate::calls::{Calls, Failure, Outcome, changeset, conflict};
use crate::scripted::{CLIENTS, Scripted};

/// Cases from this number on run against a real server.
const REAL: u64 = 90;

#[tokio::test]
async fn the_client_keeps_to_the_cases_of_the_scripted_server() {
    let mut files: Vec<_> = fs::read_dir(format!("{CLIENTS}/cases")).unwrap().collect();
    files.sort_by_key(|file| file.as_ref().unwrap().path());
    let read = |file: std::io::Result<fs::DirEntry>| -> Vec<Value> {
        serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap()
    };
    let cases: Vec<Value> = files.into_iter().flat_map(read).collect();
    let played: BTreeSet<u64> = cases
        .iter()
        .filter_map(|case| case["case"].as_u64())
        .collect();
    assert_eq!(played, numbers(), "of clients/cases.md");

    let scripted = Scripted::start();
    let plays = cases
        .iter()
        .enumerate()
        .map(|(at, case)| play(&scripted, case, at));
    let problems: Vec<String> = join_all(plays).await.into_iter().flatten().collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The numbers of the list that the scripted server plays.
fn numbers() -> BTreeSet<u64> {
    let list = fs::read_to_string(format!("{CLIENTS}/cases.md")).unwrap();
    let numbers = list
        .lines()
        .filter_map(|line| line.split_once(". ")?.0.parse().ok());
    numbers.filter(|number| *number < REAL).collect()
}

/// Plays a case. Returns what is not as it has to be.
async fn play(scripted: &Scripted, case: &Value, at: usize) -> Option<String> {
    let script = format!("case-{at}");
    let mut url = scripted.put(&script, &case["answers"]).await;
    if case["unreachable"] == true {
        // Nobody listens on this port.
        "http://127.0.0.1:2".clone_into(&mut url);
    }
    let calls = Calls {
        store: client(&url, &case["client"]),
        case,
    };
    let mut outcome = Outcome::default();
    for _ in 0..case["times"].as_u64().unwrap_or(1) {
        if let Err(failure) = calls.make(&mut outcome).await {
            outcome.error = Some(failure);
        }
    }
    let requests = scripted.requests(&script).await;
    let mut wrong = Wrong(Vec::new());
    wrong.outcome(&outcome, &case["expect"], &requests);
    wrong.requests(&case["expect"], &requests);
    let number = &case["case"];
    (!wrong.0.is_empty()).then(|| format!("case {number} ({at}): {}", wrong.0.join("; ")))
}

fn client(url: &str, settings: &Value) -> EventStore {
    let retry = Retry {
        attempts: 4,
        first_pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(50),
        ..Retry::default()
    };
    let mut client = EventStore::builder(url).retry(retry);
    if let Some(seconds) = settings["timeout"].as_f64() {
        client = client.timeout(Duration::from_secs_f64(seconds));
    }
    if let Some(key) = settings["key"].as_str() {
        client = client.key(key);
    }
    if let Some(store) = settings["store"].as_str() {
        client = client.store(store.parse().unwrap());
    }
    client.build().unwrap()
}

/// What is not as it has to be.
struct Wrong(Vec<String>);

impl Wrong {
    fn unless(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }

    fn like(&mut self, actual: &Value, expected: &Value) {
        self.unless(like(actual, expected), || {
            format!("{actual} is not like {expected}")
        });
    }

    fn outcome(&mut self, outcome: &Outcome, expect: &Value, requests: &[Value]) {
        self.error(outcome.error.as_ref(), expect, requests);
        let has = |name: &str| expect.get(name);
        if let Some(expected) = has("answer") {
            self.like(&outcome.answer, expected);
        }
        if let Some(expected) = has("items") {
            self.like(&json!(outcome.items), expected);
        }
        if let Some(expected) = has("handled") {
            let mut handled = outcome.handled.clone();
            if expect["unordered"] == true {
                handled.sort_unstable();
            }
            self.unless(json!(handled) == *expected, || {
                format!("handled {handled:?}")
            });
        }
        let last = outcome.batches.last().unwrap_or(&Value::Null);
        for (name, member) in [("next_checkpoint", "next"), ("store", "store")] {
            if let Some(expected) = has(name) {
                self.like(&last[member], expected);
            }
        }
        if let Some(expected) = has("next_checkpoints") {
            let found: Vec<&Value> = outcome.batches.iter().map(|batch| &batch["next"]).collect();
            self.unless(json!(found) == *expected, || format!("next: {found:?}"));
        }
    }

    fn error(&mut self, error: Option<&Failure>, expect: &Value, requests: &[Value]) {
        let Some(expected) = expect["error"].as_object() else {
            let text = error.map(text);
            return self.unless(text.is_none(), || format!("error {text:?}"));
        };
        let Some(error) = error else {
            return self.0.push("no error".to_owned());
        };
        let mut expected: Map<String, Value> = expected.clone();
        let message = expected.remove("message").unwrap_or(json!(""));
        let said = text(error).replace("\\\"", "\"");
        self.unless(said.contains(message.as_str().unwrap()), || said.clone());
        let members = members(error);
        self.like(&members, &Value::Object(expected));
        if expect["error_has_key"] == true {
            let key = members["key"].as_str().expect("the error has the key");
            self.unless(said.contains(key), || format!("{said} lacks {key}"));
            let same = |request: &Value| request["headers"]["idempotency-key"] == key;
            self.unless(requests.iter().all(same), || {
                "another key was sent".to_owned()
            });
        }
    }

    fn requests(&mut self, expect: &Value, requests: &[Value]) {
        let tries = requests.len() as u64;
        if let Some(expected) = expect["tries"].as_u64() {
            self.unless(tries == expected, || format!("{tries} tries"));
        }
        let least = expect["tries_at_least"].as_u64().unwrap_or(0);
        self.unless(tries >= least, || format!("{tries} tries"));
        for (kind, wanted) in [("same", 1), ("distinct", requests.len())] {
            for name in expect[kind].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                let value = |request: &Value| match request.get(name) {
                    Some(value) => value.to_string(),
                    None => request["headers"][name].to_string(),
                };
                let values: BTreeSet<String> = requests.iter().map(value).collect();
                self.unless(values.len() == wanted, || format!("{name}: {values:?}"));
            }
        }
        for (number, gap) in expect["gaps"].as_array().into_iter().flatten().enumerate() {
            let at = |number: usize| requests[number]["at"].as_f64().unwrap();
            let waited = at(number + 1) - at(number);
            self.unless(waited >= gap.as_f64().unwrap(), || {
                format!("waited {waited}")
            });
        }
        if let Some(expected) = expect.get("workers") {
            let workers = requests
                .iter()
                .filter(|request| path(request).ends_with("claim"));
            let worker = |request: &Value| body(request)["worker"].as_str().unwrap().to_owned();
            let workers: BTreeSet<String> = workers.map(worker).collect();
            self.unless(json!(workers) == *expected, || {
                format!("workers {workers:?}")
            });
        }
        let Some(expected) = expect["requests"].as_array() else {
            return;
        };
        // A slow machine may ask once more.
        let enough = requests.len() == expected.len()
            || (expect["more"] == true && requests.len() > expected.len());
        self.unless(enough, || {
            format!("{} requests: {}", requests.len(), json!(requests))
        });
        for (request, expected) in requests.iter().zip(expected) {
            self.request(request, expected);
        }
    }

    fn request(&mut self, request: &Value, expected: &Value) {
        for name in ["method", "path", "raw_path"] {
            if let Some(expected) = expected.get(name) {
                self.like(&request[name], expected);
            }
        }
        if let Some(expected) = expected.get("headers") {
            self.like(&request["headers"], expected);
        }
        if let Some(expected) = expected.get("query") {
            let mut query: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
            for pair in request["query"].as_array().unwrap() {
                query
                    .entry(pair[0].as_str().unwrap())
                    .or_default()
                    .push(&pair[1]);
            }
            self.unless(json!(query) == *expected, || format!("query {query:?}"));
        }
        if let Some(expected) = expected.get("json") {
            let body = body(request);
            self.like(&body, expected);
            let names = |value: &Value| -> BTreeSet<String> {
                value.as_object().unwrap().keys().cloned().collect()
            };
            self.unless(names(&body) == names(expected), || format!("body {body}"));
        }
    }
}

fn path(request: &Value) -> &str {
    request["path"].as_str().unwrap()
}

fn body(request: &Value) -> Value {
    serde_json::from_str(request["body"].as_str().unwrap()).unwrap()
}

/// Whether something has what is expected; objects may have more.
fn like(actual: &Value, expected: &Value) -> bool {
    match expected {
        Value::String(text) if text.starts_with('~') => match actual {
            Value::String(actual) => actual.contains(&text[1..]),
            other => other.to_string().contains(&text[1..]),
        },
        Value::Array(expected) => actual.as_array().is_some_and(|actual| {
            let mut pairs = actual.iter().zip(expected);
            actual.len() == expected.len() && pairs.all(|(actual, expected)| like(actual, expected))
        }),
        Value::Object(expected) => {
            let member = |name: &str| actual.get(name).unwrap_or(&Value::Null);
            expected
                .iter()
                .all(|(name, expected)| like(member(name), expected))
        }
        Value::Number(expected) => actual.as_f64() == expected.as_f64(),
        _ => actual == expected,
    }
}

fn text(failure: &Failure) -> String {
    match failure {
        Failure::Store(error) => error.to_string(),
        Failure::Refused(why) => why.clone(),
    }
}

/// An error as the cases name its members.
fn members(failure: &Failure) -> Value {
    let Failure::Store(error) = failure else {
        return json!({ "type": "refused" });
    };
    let mut members = match error {
        Error::Conflict {
            conflict: found, ..
        } => with(conflict(found), "conflict"),
        Error::SetConflict { conflicts, .. } => {
            let conflicts: Vec<Value> = conflicts.iter().map(conflict).collect();
            json!({ "type": "set-conflict", "conflicts": conflicts })
        }
        Error::KeyReused {
            changeset: stands,
            stream_id,
            changeset_id,
            ..
        } => json!({
            "type": "key-reused", "stream_id": **stream_id, "changeset_id": changeset_id,
            "changeset": stands.as_deref().map(changeset),
        }),
        Error::OtherStore {
            store,
            asked,
            same_below,
            head,
            ..
        } => json!({
            "type": "other-store", "store": store, "asked": asked, "same_below": same_below,
            "head": head,
        }),
        Error::CheckpointBeyondHead { head, .. } => {
            json!({ "type": "checkpoint-beyond-head", "head": head })
        }
        Error::Unavailable {
            retry_after,
            unfinished,
            ..
        } => json!({
            "type": "unavailable", "retry_after": retry_after.map(|wait| wait.as_secs()),
            "outcome": outcome(unfinished.written), "key": unfinished.idempotency_key,
        }),
        Error::Transport { unfinished, .. } => json!({
            "type": "transport", "outcome": outcome(unfinished.written),
            "key": unfinished.idempotency_key,
        }),
        Error::UnexpectedAnswer { status, .. } => {
            json!({ "type": "unexpected-answer", "status": status })
        }
        Error::StreamNotFound(_) => json!({ "type": "stream-not-found" }),
        Error::ConsumerNotFound(_) => json!({ "type": "consumer-not-found" }),
        Error::Fenced(_) => json!({ "type": "fenced" }),
        Error::Unauthorized(_) => json!({ "type": "unauthorized" }),
        Error::Forbidden(_) => json!({ "type": "forbidden" }),
        Error::Api(_) => json!({ "type": "api" }),
        Error::Refused(_) => json!({ "type": "refused" }),
        other => panic!("an error that no case knows: {other}"),
    };
    if let Some(answered) = error.answered() {
        members["status"] = json!(answered.status);
        members["code"] = json!(answered.code);
        members["request_id"] = json!(answered.request_id);
    }
    members
}

fn with(mut members: Value, kind: &str) -> Value {
    members["type"] = json!(kind);
    members
}

fn outcome(written: ees_core::Written) -> &'static str {
    match written {
        ees_core::Written::None => "none",
        ees_core::Written::Unknown => "unknown",
    }
}
