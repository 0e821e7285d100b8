//! The errors that answers tell.

use std::time::Duration;

use ees_core::{Checkpoint, StoreId, StreamId, Written};
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::error::{Answered, Error, Unfinished};
use crate::transport::{Answer, header};
use crate::wire::{WireChangeset, WireConflict, WireItem};

/// After these statuses the same request may succeed later.
const REPEATABLE: [u16; 5] = [408, 429, 502, 503, 504];

/// What every error of the store has, and what some have. What this client does not know does no harm.
#[derive(Deserialize)]
struct Body {
    error: String,
    #[serde(default)]
    message: String,
    outcome: Option<String>,
    same_below: Option<Checkpoint>,
    head: Option<Checkpoint>,
    store: Option<StoreId>,
    asked: Option<StoreId>,
}

/// The body of an error about a commit.
#[derive(Deserialize)]
struct Reused<'a> {
    stream_id: StreamId,
    #[serde(default)]
    changeset_id: u64,
    #[serde(borrow)]
    changeset: Option<WireChangeset<'a>>,
}

/// The body of an error about a set.
#[derive(Deserialize)]
struct Unmet<'a> {
    #[serde(borrow)]
    conflicts: Vec<WireConflict<'a>>,
}

/// The error that an answer tells.
pub(crate) fn error_of(answer: &Answer, store: Option<StoreId>) -> Error {
    let Ok(body) = serde_json::from_slice::<Body>(&answer.body) else {
        return by_another(answer);
    };
    let answered = Box::new(Answered {
        status: answer.status,
        code: body.error.clone(),
        message: body.message.clone(),
        request_id: header(&answer.headers, "x-request-id").map(str::to_owned),
    });
    if body.error == "OTHER_STORE" {
        return Error::OtherStore {
            store: body.store,
            asked: body.asked,
            same_below: body.same_below,
            head: body.head,
            answered,
        };
    }
    match check_store(&answer.headers, store) {
        Ok(()) => told(answer, &body, answered),
        Err(other) => other,
    }
}

/// The error of the store's own body.
fn told(answer: &Answer, body: &Body, answered: Box<Answered>) -> Error {
    let text = &answer.body;
    let unmet = serde_json::from_slice::<Unmet<'_>>(text);
    let unmet = unmet.and_then(|unmet| {
        let conflicts = unmet.conflicts.into_iter();
        conflicts.map(WireConflict::into_conflict).collect()
    });
    if let Ok(conflicts) = unmet {
        return Error::SetConflict {
            conflicts,
            answered,
        };
    }
    match body.error.as_str() {
        "OPTIMISTIC_CONCURRENCY_EXCEPTION" => {
            let conflict = serde_json::from_slice(text).and_then(WireConflict::into_conflict);
            match conflict.map(Box::new) {
                Ok(conflict) => Error::Conflict { conflict, answered },
                Err(_) => Error::Api(answered),
            }
        }
        "IDEMPOTENCY_KEY_REUSED" => reused(text, answered),
        "STREAM_NOT_FOUND" => Error::StreamNotFound(answered),
        "CONSUMER_NOT_FOUND" => Error::ConsumerNotFound(answered),
        "FENCED" => Error::Fenced(answered),
        "CHECKPOINT_BEYOND_HEAD" => Error::CheckpointBeyondHead {
            head: body.head,
            answered,
        },
        "UNAUTHORIZED" => Error::Unauthorized(answered),
        "FORBIDDEN" => Error::Forbidden(answered),
        _ if REPEATABLE.contains(&answer.status) => {
            let is_none = body.outcome.as_deref() == Some("none");
            unavailable(answer, answered, is_none)
        }
        _ => Error::Api(answered),
    }
}

fn reused(text: &[u8], answered: Box<Answered>) -> Error {
    let Ok(reused) = serde_json::from_slice::<Reused<'_>>(text) else {
        return Error::Api(answered);
    };
    let stream_id = reused.stream_id;
    let changeset = reused.changeset;
    let changeset = changeset.and_then(|wire| wire.into_item(Some(&stream_id)).ok());
    Error::KeyReused {
        changeset: changeset.map(Box::new),
        stream_id: Box::new(stream_id),
        changeset_id: reused.changeset_id,
        answered,
    }
}

/// The error of an answer that something in front of the store gave, such as a proxy.
fn by_another(answer: &Answer) -> Error {
    if !REPEATABLE.contains(&answer.status) {
        return unexpected(answer);
    }
    let beginning = beginning(answer);
    let answered = Box::new(Answered {
        status: answer.status,
        code: format!("HTTP_{}", answer.status),
        message: format!("answered by something in front of the store: {beginning:?}"),
        request_id: header(&answer.headers, "x-request-id").map(str::to_owned),
    });
    // Who throttles has not passed the request on.
    unavailable(answer, answered, answer.status == 429)
}

fn unavailable(answer: &Answer, answered: Box<Answered>, is_none: bool) -> Error {
    // A date counts as none.
    let seconds = header(&answer.headers, "retry-after").and_then(|text| text.trim().parse().ok());
    let written = if is_none {
        Written::None
    } else {
        Written::Unknown
    };
    Error::Unavailable {
        retry_after: seconds.map(Duration::from_secs),
        unfinished: Unfinished::once(written),
        answered,
    }
}

/// The error of an answer that no event store gives.
pub(crate) fn unexpected(answer: &Answer) -> Error {
    Error::UnexpectedAnswer {
        status: answer.status,
        beginning: beginning(answer),
        location: header(&answer.headers, "location").map(str::to_owned),
    }
}

fn beginning(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    text.chars().take(200).collect()
}

/// Refuses the answer of another store. A store that is not open yet does not tell its id.
pub(crate) fn check_store(headers: &HeaderMap, store: Option<StoreId>) -> Result<(), Error> {
    let Some(asked) = store else { return Ok(()) };
    let Some(answered) = header(headers, "ees-store") else {
        return Ok(());
    };
    let store = answered.parse().ok();
    if store == Some(asked) {
        return Ok(());
    }
    let message =
        format!("store {answered} answered, but the checkpoint or the client belongs to {asked}");
    Err(Error::OtherStore {
        store,
        asked: Some(asked),
        same_below: None,
        head: None,
        answered: Box::new(Answered {
            status: 409,
            code: "OTHER_STORE".to_owned(),
            message,
            request_id: header(headers, "x-request-id").map(str::to_owned),
        }),
    })
}
