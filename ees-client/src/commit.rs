//! Commits, to one stream and to several.

use ees_core::{CommitId, Expectation, MAX_FORTHCOMING, NewChangeset, NewSet, StreamId};
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use crate::model::{Committed, CommittedSet};
use crate::request::{Judging, request};
use crate::settings::Settings;
use crate::transport::{Answer, Send, header};
use crate::wire::WireCommitted;
use crate::{Error, place};

/// The metadata of a commit without any.
const NO_METADATA: &str = "{}";

/// The body of a commit. It has room for nothing more, so that it is sent without a copy.
fn body(commit: &NewChangeset) -> String {
    let [events, of_events, metadata, of_metadata] = payloads(commit);
    ["{", events, of_events, metadata, of_metadata, "}"].concat()
}

/// The body of a set.
fn body_of_set(set: &NewSet) -> String {
    let mut body = "{\"commits\":[".to_owned();
    add_all(&mut body, &set.commits, |body, commit| {
        add_stream(body, &commit.stream_id);
        // A commit without an expectation expects a new stream.
        if commit.expectation != Expectation::NEW_STREAM {
            add_expectation(body, commit.expectation);
        }
        body.push(',');
        body.extend(payloads(commit));
    });
    body.push(']');
    if !set.checks.is_empty() {
        body.push_str(",\"checks\":[");
        add_all(&mut body, &set.checks, |body, check| {
            add_stream(body, &check.stream_id);
            add_expectation(body, check.expectation);
        });
        body.push(']');
    }
    body.push('}');
    body
}

/// Adds objects, each with the members that `add` adds.
fn add_all<T>(body: &mut String, all: &[T], add: impl Fn(&mut String, &T)) {
    for (index, one) in all.iter().enumerate() {
        body.push_str(if index == 0 { "{" } else { ",{" });
        add(body, one);
        body.push('}');
    }
}

/// The members with the payloads, which are as they are, since they are JSON.
fn payloads(commit: &NewChangeset) -> [&str; 4] {
    let (events, metadata) = (commit.events.as_str(), commit.metadata.as_str());
    if metadata == NO_METADATA {
        ["\"events\":", events, "", ""]
    } else {
        ["\"events\":", events, ",\"metadata\":", metadata]
    }
}

fn add_stream(body: &mut String, stream_id: &StreamId) {
    let stream_id = serde_json::Value::from(stream_id.as_str());
    body.extend(["\"stream_id\":", &stream_id.to_string()]);
}

fn add_expectation(body: &mut String, expectation: Expectation) {
    let (name, last) = expected(expectation);
    body.extend([",\"", name, "\":", &last.to_string()]);
}

/// The name of an expectation on the wire, and its number.
fn expected(expectation: Expectation) -> (&'static str, u64) {
    match expectation {
        Expectation::LastChangeset(last) => ("expected_last_changeset", last),
        Expectation::LastEvent(last) => ("expected_last_event", last),
    }
}

/// A list of commits that are stored.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    commits: Vec<WireCommitted<'a>>,
}

/// Commits. The body is written once, so that each try sends the same bytes.
pub(crate) async fn commit(settings: &Settings, commit: &NewChangeset) -> Result<Committed, Error> {
    let key = key_of(commit.idempotency_key.as_ref())?;
    let (name, last) = expected(commit.expectation);
    // A commit without an expectation expects a new stream.
    let last = (commit.expectation != Expectation::NEW_STREAM).then_some(last);
    let asked = Send::new(Method::POST, place::stream(&commit.stream_id)?)
        .given(name, last)
        .given("forthcoming", forthcoming(commit.max_forthcoming))
        .given("details", Some(true))
        .body(body(commit));
    let read = |answer: &Answer| {
        let stored: WireCommitted<'_> = serde_json::from_slice(&answer.body)?;
        stored.into_committed(Some(commit), &key, is_replayed(answer))
    };
    let (asked, judging) = keyed(asked, &key)?;
    request(settings, &asked, &judging, read).await
}

/// Commits a set.
pub(crate) async fn commit_all(settings: &Settings, set: &NewSet) -> Result<CommittedSet, Error> {
    if let Some(keyed) = set.commits.iter().find(|c| c.idempotency_key.is_some()) {
        let stream = &keyed.stream_id;
        let why =
            format!("the commit to `{stream}` has a key of its own: the key belongs to the set");
        return Err(Error::Refused(why));
    }
    let key = key_of(set.idempotency_key.as_ref())?;
    let most = set
        .commits
        .iter()
        .map(|commit| commit.max_forthcoming)
        .max();
    let asked = Send::new(Method::POST, "/commits")
        .given("forthcoming", most.and_then(forthcoming))
        .given("details", Some(true))
        .body(body_of_set(set));
    let read = |answer: &Answer| {
        let stored: Stored<'_> = serde_json::from_slice(&answer.body)?;
        let replayed = is_replayed(answer);
        let commits = stored.commits.into_iter().enumerate();
        let commits =
            commits.map(|(at, one)| one.into_committed(set.commits.get(at), &key, replayed));
        Ok(CommittedSet {
            commits: commits.collect::<Result<_, _>>()?,
            idempotency_key: key.clone(),
            replayed,
        })
    };
    let (asked, judging) = keyed(asked, &key)?;
    request(settings, &asked, &judging, read).await
}

/// A limit of a conflict that is not the server's own.
fn forthcoming(most: usize) -> Option<usize> {
    (most < MAX_FORTHCOMING).then_some(most)
}

/// The key of a commit: the one that is given, or a new one.
fn key_of(given: Option<&CommitId>) -> Result<CommitId, Error> {
    if let Some(key) = given {
        return Ok(key.clone());
    }
    let mut made = uuid::Uuid::encode_buffer();
    let made = uuid::Uuid::new_v4().hyphenated().encode_lower(&mut made);
    CommitId::of_client(made).map_err(|error| Error::Refused(error.to_string()))
}

/// The request with its key.
fn keyed(mut asked: Send, key: &CommitId) -> Result<(Send, Judging), Error> {
    let value = HeaderValue::from_str(key.as_str());
    let value = value.map_err(|error| Error::Refused(format!("the idempotency key: {error}")))?;
    let name = HeaderName::from_static("idempotency-key");
    asked.headers.push((name, value));
    let judging = Judging {
        key: Some(key.clone()),
        ..Judging::default()
    };
    Ok((asked, judging))
}

fn is_replayed(answer: &Answer) -> bool {
    header(&answer.headers, "idempotency-replayed") == Some("true")
}
