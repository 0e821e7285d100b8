//! Commits, to one stream and to several.

use ees_core::{
    Check, CommitId, Expectation, Json, MAX_FORTHCOMING, NewChangeset, NewSet, StreamId,
};
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::{Committed, CommittedSet};
use crate::request::{Judging, request};
use crate::settings::Settings;
use crate::transport::{Answer, Send, header};
use crate::wire::WireCommitted;
use crate::{Error, place};

/// The body of a commit, and of a commit in a set.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<&'a StreamId>,
    events: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    #[serde(flatten)]
    expected: Option<Expected>,
}

/// The body of a set.
#[derive(Serialize)]
struct Set<'a> {
    commits: Vec<Body<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Checked<'a>>,
}

/// A check of a set.
#[derive(Serialize)]
struct Checked<'a> {
    stream_id: &'a StreamId,
    #[serde(flatten)]
    expected: Expected,
}

/// An expectation.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    ExpectedLastChangeset(u64),
    ExpectedLastEvent(u64),
}

impl From<Expectation> for Expected {
    fn from(expectation: Expectation) -> Self {
        match expectation {
            Expectation::LastChangeset(last) => Self::ExpectedLastChangeset(last),
            Expectation::LastEvent(last) => Self::ExpectedLastEvent(last),
        }
    }
}

/// The expectation as it is sent. A commit without one expects a new stream.
fn expected(commit: &NewChangeset) -> Option<Expected> {
    let is_new = commit.expectation == Expectation::NEW_STREAM;
    (!is_new).then(|| commit.expectation.into())
}

impl<'a> Body<'a> {
    fn of(commit: &'a NewChangeset) -> Result<Self, Error> {
        let metadata = (commit.metadata != Json::default()).then(|| raw(commit.metadata.as_str()));
        Ok(Self {
            stream_id: None,
            events: raw(commit.events.as_str())?,
            metadata: metadata.transpose()?,
            expected: None,
        })
    }

    fn in_set(commit: &'a NewChangeset) -> Result<Self, Error> {
        Ok(Self {
            stream_id: Some(&commit.stream_id),
            expected: expected(commit),
            ..Self::of(commit)?
        })
    }
}

fn raw(text: &str) -> Result<&RawValue, Error> {
    let refused = |error| Error::Refused(format!("a payload is not JSON: {error}"));
    serde_json::from_str(text).map_err(refused)
}

/// A list of commits that are stored.
#[derive(Deserialize)]
struct Stored {
    commits: Vec<WireCommitted>,
}

/// Commits. The body is written once, so that each try sends the same bytes.
pub(crate) async fn commit(settings: &Settings, commit: &NewChangeset) -> Result<Committed, Error> {
    let key = key_of(commit.idempotency_key.as_ref())?;
    let (changeset, event) = match expected(commit) {
        Some(Expected::ExpectedLastChangeset(last)) => (Some(last), None),
        Some(Expected::ExpectedLastEvent(last)) => (None, Some(last)),
        None => (None, None),
    };
    let asked = Send::new(Method::POST, place::stream(&commit.stream_id)?)
        .given("expected_last_changeset", changeset)
        .given("expected_last_event", event)
        .given("forthcoming", forthcoming(commit.max_forthcoming))
        .given("details", Some(true))
        .json(&Body::of(commit)?)?;
    let read = |answer: &Answer| {
        let stored: WireCommitted = serde_json::from_slice(&answer.body)?;
        Ok(stored.into_committed(&key, is_replayed(answer)))
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
    let commits = set.commits.iter().map(Body::in_set);
    let checks = set.checks.iter().map(
        |Check {
             stream_id,
             expectation,
         }| Checked {
            stream_id,
            expected: (*expectation).into(),
        },
    );
    let most = set
        .commits
        .iter()
        .map(|commit| commit.max_forthcoming)
        .max();
    let asked = Send::new(Method::POST, "/commits")
        .given("forthcoming", most.and_then(forthcoming))
        .given("details", Some(true))
        .json(&Set {
            commits: commits.collect::<Result<_, _>>()?,
            checks: checks.collect(),
        })?;
    let read = |answer: &Answer| {
        let stored: Stored = serde_json::from_slice(&answer.body)?;
        let replayed = is_replayed(answer);
        let commits = stored.commits.into_iter();
        Ok(CommittedSet {
            commits: commits
                .map(|one| one.into_committed(&key, replayed))
                .collect(),
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
    let made = uuid::Uuid::new_v4().to_string();
    CommitId::of_client(&made).map_err(|error| Error::Refused(error.to_string()))
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
