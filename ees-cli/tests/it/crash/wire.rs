//! Calls to a server that may go away at any moment.

use std::io;

use async_trait::async_trait;
use ees_conformance::crash::{LOST, Target};
use ees_conformance::subject::{
    Ask, AskSet, Changeset, Committed, Expect, Failure, GlobalPage, GlobalRead, Page,
};
use serde_json::Value;

use crate::http;

/// A server at an address. Each call blocks its thread.
pub(super) struct Server(pub(super) String);

#[async_trait]
impl Target for Server {
    async fn commit(&self, ask: &Ask) -> Result<Committed, Failure> {
        let (name, last) = match ask.expect {
            Expect::Changeset(last) => ("expected_last_changeset", last),
            Expect::Event(last) => ("expected_last_event", last),
        };
        let path = format!("/streams/{}?{name}={last}&details=true", ask.stream);
        let key = ask.key.as_deref().unwrap_or_default();
        let headers = format!("Idempotency-Key: {key}\r\n");
        let body = format!(r#"{{"events":{}}}"#, ask.events);
        let answer = http::send(&self.0, "POST", &path, &headers, &body);
        let answer = answer.and_then(http::receive).map_err(|e| lost(&e))?;
        match answer.status {
            200 => Ok(committed(&json(&answer.body))),
            _ => Err(failure(&json(&answer.body))),
        }
    }

    async fn commit_all(&self, ask: &AskSet) -> Result<Vec<Committed>, Failure> {
        let commits = ask.commits.iter().map(|ask| {
            let Expect::Changeset(last) = ask.expect else {
                panic!("the crash test expects changesets in sets");
            };
            let (stream, events) = (&ask.stream, &ask.events);
            format!(
                r#"{{"stream_id":"{stream}","expected_last_changeset":{last},"events":{events}}}"#
            )
        });
        let commits: Vec<String> = commits.collect();
        let body = format!(r#"{{"commits":[{}]}}"#, commits.join(","));
        let key = ask.key.as_deref().unwrap_or_default();
        let headers = format!("Idempotency-Key: {key}\r\n");
        let answer = http::send(&self.0, "POST", "/commits?details=true", &headers, &body);
        let answer = answer.and_then(http::receive).map_err(|e| lost(&e))?;
        if answer.status != 200 {
            return Err(failure(&json(&answer.body)));
        }
        let answer = json(&answer.body);
        let commits = answer["commits"].as_array().expect("commits");
        Ok(commits.iter().map(committed).collect())
    }

    async fn page(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure> {
        let (from, wait) = (read.checkpoint, read.wait.as_secs());
        let limit = read.limit.unwrap_or(10);
        let path = format!("/changesets?checkpoint={from}&limit={limit}&wait={wait}&details=true");
        let answer = http::request(&self.0, "GET", &path, "").map_err(|e| lost(&e))?;
        if answer.status != 200 {
            return Err(failure(&json(&answer.body)));
        }
        let page = json(&answer.body);
        let changesets = page["changesets"].as_array().expect("changesets");
        Ok(GlobalPage {
            changesets: changesets.iter().map(changeset).collect(),
            next_checkpoint: number(&page["next_checkpoint"]),
        })
    }
}

fn lost(error: &io::Error) -> Failure {
    Failure {
        code: LOST.to_owned(),
        message: error.to_string(),
        forthcoming: None,
        has_the_key: None,
        conflicts: None,
    }
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
        idempotency_key: value["idempotency_key"].as_str().map(str::to_owned),
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
        replayed: false,
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
        has_the_key: None,
        conflicts: None,
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
