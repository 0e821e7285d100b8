//! The body of a commit: how much of it, and what is in it.

use std::collections::HashSet;
use std::fmt;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, StatusCode};
use bytes::{Bytes, BytesMut};
use ees_core::{Events, Json, PayloadError};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tokio::sync::SemaphorePermit;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::gate::Gate;

/// How far beyond the limit a body is read and thrown away, so that its sender gets the answer
/// instead of a broken connection.
const DISCARD_FACTOR: usize = 4;

/// How much is read and thrown away where the limit is small: what another storage would take.
const LEAST_DISCARD: usize = 16 * 1024 * 1024;

/// What a body has to be.
const EXPECTED: &str = "an object with `events`, and `metadata` if there is any";

/// A body, and its room among all that are held.
pub(crate) struct Held<'a> {
    pub(crate) bytes: Bytes,
    _room: Option<SemaphorePermit<'a>>,
}

/// How many bytes a body says that it has.
pub(crate) fn announced(body: &Body) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX)
}

/// How many bytes of a body are read where `limit` are taken.
pub(crate) fn most_read(limit: usize) -> usize {
    limit.saturating_mul(DISCARD_FACTOR).max(LEAST_DISCARD)
}

/// Refuses a body of more than `limit` bytes.
pub(crate) fn check_size(size: usize, limit: usize) -> Result<(), ApiError> {
    if size <= limit {
        return Ok(());
    }
    let message = format!("the body has at least {size} bytes; at most {limit} are taken");
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    Err(ApiError::new(status, "CHANGESET_TOO_LARGE", message))
}

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn read(mut body: Body, limit: usize, gate: &Gate) -> Result<Held<'_>, ApiError> {
    let announced = announced(&body);
    let mut held = BytesMut::new();
    let mut room: Option<SemaphorePermit<'_>> = None;
    let mut size = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| invalid(format!("the body broke off: {error}")))?;
        let data = frame.into_data().unwrap_or_default();
        size += data.len();
        if size.max(announced) <= limit {
            let more = gate.buffer(data.len())?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            held.extend_from_slice(&data);
        } else if size <= most_read(limit) {
            held = BytesMut::new();
            room = None;
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

/// Reads what is to be committed; `encoding` is what the request says of its body.
pub(crate) fn parse(
    body: &[u8],
    encoding: Option<&HeaderValue>,
) -> Result<(Events, Json), ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| match encoding {
        Some(encoding) => invalid(format!(
            "the body has `Content-Encoding: {}`: send it without one, as JSON in UTF-8",
            encoding.to_str().unwrap_or_default()
        )),
        None => invalid(format!("the body is not UTF-8: {error}")),
    })?;
    let body: CommitBody<'_> =
        serde_json::from_str(text).map_err(|error| unexpected(text, &error))?;
    let part = |part: &'static str| {
        move |error: ees_core::PayloadError| {
            ApiError::bad_request(error.code(), format!("`{part}`: {error}"))
        }
    };
    let events = Events::from_raw(body.events).map_err(part("events"))?;
    let metadata = match body.metadata {
        Some(raw) => Json::from_raw(raw).map_err(part("metadata"))?,
        None => Json::default(),
    };
    Ok((events, metadata))
}

/// Says what is wrong with a body where the parser's own words would lead astray.
fn unexpected(text: &str, error: &serde_json::Error) -> ApiError {
    if text.trim_ascii().is_empty() {
        return invalid(format!("the body is empty: expected {EXPECTED}"));
    }
    if text.starts_with('\u{feff}') {
        let message = "the body begins with a byte order mark: send JSON without one";
        return invalid(message.to_owned());
    }
    match Json::parse(text) {
        Err(lone @ PayloadError::LoneSurrogate(_)) => invalid(format!("the body: {lone}")),
        _ => invalid(format!("the body is not as expected: {error}")),
    }
}

fn invalid(message: String) -> ApiError {
    ApiError::bad_request("INVALID_BODY", message)
}

/// What is to be committed.
#[derive(ToSchema)]
pub(crate) struct CommitBody<'a> {
    /// The events, in their order; any JSON each, kept verbatim.
    #[schema(value_type = Vec<serde_json::Value>, min_items = 1)]
    events: &'a RawValue,
    /// What there is to say about all of them; any JSON, kept verbatim. `{}` if left out.
    #[schema(value_type = serde_json::Value, required = false)]
    metadata: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for CommitBody<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// A derived implementation would take a repeated key that it does not know, and `null` metadata
/// for none.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = CommitBody<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut events, mut metadata) = (None, None);
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "events" => events = Some(map.next_value()?),
                "metadata" => metadata = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if let Some(key) = seen.replace(key) {
                return Err(A::Error::custom(format!("the key `{key}` is given twice")));
            }
        }
        Ok(CommitBody {
            events: events.ok_or_else(|| A::Error::missing_field("events"))?,
            metadata,
        })
    }
}
