//! The body of a set of commits.

use std::fmt;
use std::marker::PhantomData;

use axum::http::HeaderValue;
use ees_core::adapter::parse_number;
use ees_core::{
    Check, Expectation, MAX_ID, MAX_SET_CHECKS, MAX_SET_COMMITS, NewChangeset, NewSet, StreamId,
};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::body;
use crate::codes;
use crate::error::ApiError;
use crate::params::one_expectation;

/// The expected form of a body.
const EXPECTED: &str = "a JSON object with `commits` and, optionally, `checks`";

/// The body of a set of commits.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetBody<'a> {
    /// The commits: 1 to 25, each to a stream of its own.
    #[serde(borrow, deserialize_with = "commits")]
    #[schema(min_items = 1, max_items = 25)]
    commits: Vec<SetCommit<'a>>,
    /// Streams that have to be as they were seen: at most 50, none of which is that of a commit.
    #[serde(borrow, default, deserialize_with = "checks")]
    #[schema(max_items = 50, required = false)]
    checks: Vec<SetCheck<'a>>,
}

/// A commit of a set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetCommit<'a> {
    /// The stream to append to.
    stream_id: String,
    /// The id of the stream's last changeset. Without an expectation, or with 0, the stream has to be
    /// new.
    #[serde(borrow, default)]
    #[schema(value_type = Option<u64>)]
    expected_last_changeset: Option<&'a RawValue>,
    /// Instead: the id of the stream's last event.
    #[serde(borrow, default)]
    #[schema(value_type = Option<u64>)]
    expected_last_event: Option<&'a RawValue>,
    /// The events in their order. Each is any JSON value and is stored verbatim.
    #[serde(borrow)]
    #[schema(value_type = Vec<serde_json::Value>, min_items = 1)]
    events: &'a RawValue,
    /// Metadata of all the events: any JSON value, stored verbatim. Default: `{}`.
    #[serde(borrow, default, deserialize_with = "given")]
    #[schema(value_type = serde_json::Value, required = false)]
    metadata: Option<&'a RawValue>,
}

/// A check of a set. It has one of the two expectations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetCheck<'a> {
    /// The stream that has to be as it was seen.
    stream_id: String,
    /// The id of the stream's last changeset; 0 if it must not exist.
    #[serde(borrow, default)]
    #[schema(value_type = Option<u64>)]
    expected_last_changeset: Option<&'a RawValue>,
    /// Instead: the id of the stream's last event; 0 if it must not exist.
    #[serde(borrow, default)]
    #[schema(value_type = Option<u64>)]
    expected_last_event: Option<&'a RawValue>,
}

/// Parses the body of a set. A conflict lists at most `forthcoming` changesets of each commit.
/// `encoding` is the body's `Content-Encoding`.
pub(crate) fn parse(
    body: &[u8],
    encoding: Option<&HeaderValue>,
    forthcoming: usize,
) -> Result<NewSet, ApiError> {
    let text = body::text(body, encoding)?;
    let body: SetBody<'_> =
        serde_json::from_str(text).map_err(|error| body::unexpected(text, &error, EXPECTED))?;
    let mut set = NewSet::default();
    for (at, commit) in body.commits.iter().enumerate() {
        let commit = commit.read().map_err(|error| named("commits", at, error))?;
        set.commits.push(commit.with_max_forthcoming(forthcoming));
    }
    for (at, check) in body.checks.iter().enumerate() {
        let check = check.read().map_err(|error| named("checks", at, error))?;
        set.checks.push(check);
    }
    Ok(set)
}

impl SetCommit<'_> {
    fn read(&self) -> Result<NewChangeset, ApiError> {
        let stream_id = StreamId::new(&self.stream_id)?;
        let expected = expected(self.expected_last_changeset, self.expected_last_event)?;
        let (events, metadata) = body::payload(self.events, self.metadata)?;
        let expectation = expected.unwrap_or(Expectation::NEW_STREAM);
        Ok(NewChangeset::new(stream_id, expectation, events).with_metadata(metadata))
    }
}

impl SetCheck<'_> {
    fn read(&self) -> Result<Check, ApiError> {
        let stream_id = StreamId::new(&self.stream_id)?;
        let expected = expected(self.expected_last_changeset, self.expected_last_event)?;
        let expectation = expected.ok_or_else(|| {
            let message = "a check needs `expected_last_changeset` or `expected_last_event`";
            body::invalid(message.to_owned())
        })?;
        Ok(Check {
            stream_id,
            expectation,
        })
    }
}

/// What is expected of a stream, if anything.
fn expected(
    changeset: Option<&RawValue>,
    event: Option<&RawValue>,
) -> Result<Option<Expectation>, ApiError> {
    let by_changeset = number(
        "expected_last_changeset",
        changeset,
        codes::INVALID_EXPECTED_CHANGESET_ID,
    )?;
    let by_event = number(
        "expected_last_event",
        event,
        codes::INVALID_EXPECTED_EVENT_ID,
    )?;
    one_expectation(by_changeset, by_event)
}

/// An id, if it is given.
fn number(
    name: &str,
    given: Option<&RawValue>,
    code: codes::Code,
) -> Result<Option<u64>, ApiError> {
    let Some(given) = given else { return Ok(None) };
    let number = parse_number(given.get()).filter(|number| *number <= MAX_ID);
    number.map(Some).ok_or_else(|| {
        let given = body::echo(given.get());
        let message = format!("`{name}` is {given}: expected an integer from 0 to {MAX_ID}");
        ApiError::bad_request(code, message)
    })
}

/// Names the member of the set that an error is about.
fn named(list: &str, at: usize, error: ApiError) -> ApiError {
    let message = format!("`{list}[{at}]`: {}", error.message);
    ApiError { message, ..error }
}

/// A value that is given, `null` included.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn commits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SetCommit<'de>>, D::Error> {
    deserializer.deserialize_seq(AtMost::new(MAX_SET_COMMITS, "commits"))
}

fn checks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SetCheck<'de>>, D::Error> {
    deserializer.deserialize_seq(AtMost::new(MAX_SET_CHECKS, "checks"))
}

/// Reads a list of at most so many items. It ends at the first one beyond.
struct AtMost<T> {
    most: usize,
    what: &'static str,
    items: PhantomData<T>,
}

impl<T> AtMost<T> {
    fn new(most: usize, what: &'static str) -> Self {
        let items = PhantomData;
        Self { most, what, items }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtMost<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {} {}", self.most, self.what)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            if items.len() == self.most {
                let Self { most, what, .. } = self;
                return Err(A::Error::custom(format!("a set has at most {most} {what}")));
            }
            items.push(item);
        }
        Ok(items)
    }
}
