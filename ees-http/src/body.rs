//! The body of a commit: its size and its content.

use std::collections::HashSet;
use std::fmt;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, StatusCode};
use bytes::{Bytes, BytesMut};
use ees_core::adapter::unknown_name;
use ees_core::{Events, Json, PayloadError};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::clients::{Client, Step, Waiting};
use crate::codes;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::room::{SMALL_BYTES, Taken};

/// A body larger than the limit is read and discarded up to this multiple of the limit, so that its
/// sender gets the answer instead of a broken connection.
const DISCARD_FACTOR: usize = 4;

/// The least number of bytes that are read and discarded. It applies where the limit is small, and
/// equals the limit of other storages.
const LEAST_DISCARD: usize = 16 * 1024 * 1024;

/// The expected form of a body.
const EXPECTED: &str = "a JSON object with `events` and, optionally, `metadata`";

/// The most members of a body, unknown ones included: each is remembered to find it given twice.
const MAX_MEMBERS: usize = 64;

/// The most events of a changeset.
const MAX_EVENTS: u64 = 100_000;

/// The members that a body may have.
const MEMBERS: &[&str] = &["events", "metadata"];

/// A body in memory, and its share of the bytes that may be buffered.
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    _room: Taken,
}

/// How many bytes a body announces.
pub(crate) fn announced(body: &Body) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX)
}

/// How many bytes of a body are read where at most `limit` are accepted.
pub(crate) fn most_read(limit: usize) -> usize {
    limit.saturating_mul(DISCARD_FACTOR).max(LEAST_DISCARD)
}

/// Refuses a body of more than `limit` bytes.
pub(crate) fn check_size(size: usize, limit: usize) -> Result<(), ApiError> {
    if size <= limit {
        return Ok(());
    }
    let message = format!("the body has at least {size} bytes; at most {limit} bytes are accepted");
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    Err(ApiError::new(status, codes::CHANGESET_TOO_LARGE, message))
}

/// Reads a whole body of at most `limit` bytes, which the client sends.
pub(crate) async fn read(
    mut body: Body,
    limit: usize,
    gate: &Gate,
    client: Option<&Client>,
) -> Result<Held, ApiError> {
    let waiting = client.map(|client| client.wait(Step::Send));
    let announced = announced(&body);
    let mut held = BytesMut::new();
    let mut room = Taken::default();
    let mut size = 0_usize;
    while let Some(frame) = body.frame().await {
        waiting.iter().for_each(Waiting::moved);
        let frame = frame.map_err(|error| invalid(format!("the body ended early: {error}")))?;
        let data = frame.into_data().unwrap_or_default();
        size += data.len();
        if size.max(announced) <= limit {
            let is_small = size.max(announced) <= SMALL_BYTES;
            gate.buffer(client, &mut room, data.len(), is_small).await?;
            held.extend_from_slice(&data);
        } else if size <= most_read(limit) {
            held = BytesMut::new();
            room = Taken::default();
        } else {
            break;
        }
    }
    check_size(size.max(announced), limit)?;
    Ok(Held {
        bytes: held.freeze(),
        _room: room,
    })
}

/// Parses the body of a commit. `encoding` is its `Content-Encoding`.
pub(crate) fn parse(
    body: &[u8],
    encoding: Option<&HeaderValue>,
) -> Result<(Events, Json), ApiError> {
    let text = text(body, encoding)?;
    let body: CommitBody<'_> =
        serde_json::from_str(text).map_err(|error| unexpected(text, &error, EXPECTED))?;
    let payload = payload(body.events, body.metadata)?;
    match body.unknown {
        Some(name) => Err(invalid(unknown_name("member", &name, MEMBERS))),
        None => Ok(payload),
    }
}

/// The text of a body. `encoding` is its `Content-Encoding`.
pub(crate) fn text<'a>(
    body: &'a [u8],
    encoding: Option<&HeaderValue>,
) -> Result<&'a str, ApiError> {
    std::str::from_utf8(body).map_err(|error| match encoding {
        Some(encoding) => invalid(format!(
            "the body has `Content-Encoding: {}`: send it without one, as JSON in UTF-8",
            encoding.to_str().unwrap_or_default()
        )),
        None => invalid(format!("the body is not UTF-8: {error}")),
    })
}

/// Checks the events and the metadata of a commit.
pub(crate) fn payload(
    events: &RawValue,
    metadata: Option<&RawValue>,
) -> Result<(Events, Json), ApiError> {
    let events = Events::from_raw(events);
    let events = events.map_err(|error| ApiError::in_body("events", &error))?;
    if events.count() > MAX_EVENTS {
        let count = events.count();
        let message = format!("`events`: {count} events; a changeset has at most {MAX_EVENTS}");
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(ApiError::new(status, codes::CHANGESET_TOO_LARGE, message));
    }
    let metadata = match metadata {
        Some(raw) => Json::from_raw(raw).map_err(|error| ApiError::in_body("metadata", &error))?,
        None => Json::default(),
    };
    Ok((events, metadata))
}

/// The error of a body that does not parse. It replaces the parser's message where that would
/// mislead.
pub(crate) fn unexpected(text: &str, error: &serde_json::Error, expected: &str) -> ApiError {
    if text.trim_ascii().is_empty() {
        return invalid(format!("the body is empty: expected {expected}"));
    }
    if text.starts_with('\u{feff}') {
        let message = "the body begins with a byte order mark: send JSON without it";
        return invalid(message.to_owned());
    }
    match Json::parse(text) {
        Err(lone @ PayloadError::LoneSurrogate(_)) => invalid(format!("the body: {lone}")),
        _ => invalid(format!("the body is not as expected: {error}")),
    }
}

/// The beginning of a client's text, for an error: at most 200 characters.
pub(crate) fn echo(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

pub(crate) fn invalid(message: String) -> ApiError {
    ApiError::bad_request(codes::INVALID_BODY, message)
}

/// The body of a commit.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)] // for the description
pub(crate) struct CommitBody<'a> {
    /// The events in their order. Each is any JSON value and is stored verbatim.
    #[schema(value_type = Vec<serde_json::Value>, min_items = 1)]
    events: &'a RawValue,
    /// Metadata of all the events: any JSON value, stored verbatim. Default: `{}`.
    #[schema(value_type = serde_json::Value, required = false)]
    metadata: Option<&'a RawValue>,
    /// The first member that is neither. It is reported after what is wrong with the known ones.
    #[schema(ignore)]
    unknown: Option<String>,
}

impl<'de> Deserialize<'de> for CommitBody<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// Reads the members of the body. A derived implementation would accept an unknown key twice, and
/// would take `null` for metadata that is left out.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = CommitBody<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut events, mut metadata, mut unknown) = (None, None, None);
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "events" => events = Some(map.next_value()?),
                "metadata" => metadata = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    unknown = unknown.or_else(|| Some(echo(&key)));
                }
            }
            if seen.len() >= MAX_MEMBERS {
                let message = format!("it has more than {MAX_MEMBERS} members");
                return Err(A::Error::custom(message));
            }
            if let Some(key) = seen.replace(key) {
                let key = echo(&key);
                return Err(A::Error::custom(format!(
                    "the key `{key}` is given more than once"
                )));
            }
        }
        // A missing member is probably the unknown one, misspelt.
        let missing = || match &unknown {
            Some(name) => A::Error::custom(unknown_name("member", name, MEMBERS)),
            None => A::Error::missing_field("events"),
        };
        Ok(CommitBody {
            events: events.ok_or_else(missing)?,
            metadata,
            unknown,
        })
    }
}
