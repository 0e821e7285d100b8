//! Calls to a server that may go away at any moment.

use ees_conformance::subject::{Ask, Changeset, Committed, Expect, Failure, Page};
use serde_json::Value;

use crate::http;

/// What the history calls an answer that never came.
pub(super) const LOST: &str = "STORAGE_UNAVAILABLE";

/// What a commit that came too late is told.
pub(super) const CONFLICT: &str = "OPTIMISTIC_CONCURRENCY_EXCEPTION";

/// Commits.
pub(super) fn commit(address: &str, ask: &Ask) -> Result<Committed, Failure> {
    let (name, last) = match ask.expect {
        Expect::Changeset(last) => ("expected_last_changeset", last),
        Expect::Event(last) => ("expected_last_event", last),
    };
    let path = format!("/streams/{}?{name}={last}&details=true", ask.stream);
    let key = ask.key.as_deref().unwrap_or_default();
    let headers = format!("Idempotency-Key: {key}\r\n");
    let body = format!(r#"{{"events":{}}}"#, ask.events);
    let answer = http::send(address, "POST", &path, &headers, &body).and_then(http::receive);
    match answer {
        Ok(answer) if answer.status == 200 => Ok(committed(&json(&answer.body))),
        Ok(answer) => Err(failure(&json(&answer.body))),
        Err(error) => Err(Failure {
            code: LOST.to_owned(),
            message: error.to_string(),
            forthcoming: None,
        }),
    }
}

/// A page of the global order and where the next one begins; `None` if no answer came.
pub(super) fn page(address: &str, from: u64, limit: u64) -> Option<(Vec<Changeset>, u64)> {
    let path = format!("/changesets?checkpoint={from}&limit={limit}&wait=1&details=true");
    let answer = http::request(address, "GET", &path, "").ok()?;
    if answer.status == 503 {
        return None;
    }
    assert_eq!(answer.status, 200, "G6: {}", answer.body);
    let page = json(&answer.body);
    let changesets = page["changesets"].as_array().expect("changesets");
    let changesets = changesets.iter().map(changeset).collect();
    Some((changesets, number(&page["next_checkpoint"])))
}

/// A changeset with all its details.
pub(super) fn changeset(value: &Value) -> Changeset {
    Changeset {
        stream: text(&value["stream_id"]),
        changeset_id: number(&value["changeset_id"]),
        first_event_id: number(&value["first_event_id"]),
        last_event_id: number(&value["last_event_id"]),
        timestamp: text(&value["timestamp"]),
        events: value["events"].to_string(),
        metadata: value["metadata"].to_string(),
        checkpoint: value["checkpoint"].as_u64(),
    }
}

fn committed(value: &Value) -> Committed {
    Committed {
        stream: text(&value["stream_id"]),
        changeset_id: number(&value["changeset_id"]),
        first_event_id: number(&value["first_event_id"]),
        last_event_id: number(&value["last_event_id"]),
        timestamp: text(&value["timestamp"]),
        checkpoint: value["checkpoint"].as_u64(),
    }
}

fn failure(value: &Value) -> Failure {
    let told = value["forthcoming_changesets"].as_array();
    let told = told.map(|told| Page {
        items: told.iter().map(|item| of_stream(item, value)).collect(),
        next: value["next"].as_u64(),
    });
    Failure {
        code: text(&value["error"]),
        message: text(&value["message"]),
        forthcoming: told,
    }
}

/// A changeset in an answer that names the stream for all.
fn of_stream(item: &Value, answer: &Value) -> Changeset {
    let mut item = item.clone();
    item["stream_id"] = answer["stream_id"].clone();
    changeset(&item)
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}
