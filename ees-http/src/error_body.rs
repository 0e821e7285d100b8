//! The body of an error.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use ees_core::{Checkpoint, CommitId, Conflict, Direction, MAX_ID};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::answer::{ChangesetItem, UnmetItem};
use crate::codes::ERROR_CODES;
use crate::error::ApiError;
use crate::json::{Raw, to_json};
use crate::page::{Layout, next, write_page};

/// The body of every error.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ErrorBody<'a> {
    /// The code, for programs.
    #[schema(schema_with = error_codes)]
    error: &'a str,
    /// What was wrong and what was expected, for people.
    message: &'a str,
    /// The stream, if the path names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<&'a str>,
    /// With `IDEMPOTENCY_KEY_REUSED`: the id of the changeset that has the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    changeset_id: Option<u64>,
    /// With `IDEMPOTENCY_KEY_REUSED`: the changeset that has the key. Absent for a key that may not
    /// read the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    changeset: Option<ChangesetItem<'a>>,
    /// If the expectation does not hold: the id of the stream's last changeset; 0 if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_changeset: Option<u64>,
    /// If the expectation does not hold: the id of the stream's last event; 0 if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event: Option<u64>,
    /// With `OPTIMISTIC_CONCURRENCY_EXCEPTION`: the changesets that hold something after the
    /// expectation, oldest first; at most 100 changesets and 256 KiB, but at least one. Absent with
    /// `forthcoming=0`, and for a key that may not read the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ChangesetItem>>)]
    forthcoming_changesets: Option<Raw<'a>>,
    /// If more of them remain: the `from` of the next page of the stream's changesets.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// Of a set of commits, if an expectation does not hold: every commit and every check that does not
    /// hold, commits first. Together they have at most 100 changesets and 256 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflicts: Option<Vec<UnmetItem<'a>>>,
    /// With `OTHER_STORE`: the id of this store.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// With `OTHER_STORE`: the id that the request has.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
    /// With `OTHER_STORE`, if the request has a former id of this store: below this checkpoint the
    /// changesets are the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    same_below: Option<u64>,
    /// With `CHECKPOINT_BEYOND_HEAD` and `OTHER_STORE`: the head of the global order, the checkpoint
    /// that the next changeset will get.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    /// With `FENCED`: the generation of the partition's last batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    /// With 503: `none` means that nothing was written, `unknown` that the commit may have happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = outcomes, required = false)]
    outcome: Option<&'a str>,
    /// With 503 for a commit: the key to repeat it with.
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
    /// With 500: the id of the entry in the server's log that has the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

fn error_codes() -> Object {
    one_of("The code, for programs", ERROR_CODES)
}

fn outcomes() -> Object {
    let description = "With 503: `none` means that nothing was written, `unknown` that the commit may \
                       have happened";
    one_of(description, &["none", "unknown"])
}

/// A text that is one of these.
fn one_of(description: &str, values: &[&str]) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(values.iter().copied()))
        .build()
}

/// Writes the answer of an error.
pub(crate) fn render(error: &ApiError, request_id: &str, layout: Layout) -> Response {
    let is_internal = error.status == StatusCode::INTERNAL_SERVER_ERROR;
    let (changeset, details) = (error.more.changeset.as_deref(), error.more.details);
    let hidden = error.more.changesets_are_hidden;
    let other = error.more.other_store.as_deref();
    let is_repeatable = error.status == StatusCode::SERVICE_UNAVAILABLE;
    let key = error.more.idempotency_key.as_ref();
    let key = key.filter(|_| is_repeatable);
    let body = ErrorBody {
        error: error.code.as_str(),
        message: &error.message,
        stream_id: error.more.stream_id.as_deref(),
        changeset_id: changeset.map(|changeset| changeset.changeset_id.get()),
        changeset: changeset
            .filter(|_| !hidden)
            .map(|changeset| ChangesetItem::of_stream(changeset, details)),
        last_changeset: error.more.end.map(|(changeset, _)| changeset),
        last_event: error.more.end.map(|(_, event)| event),
        forthcoming_changesets: None,
        next: None,
        conflicts: error.more.set_conflict.as_ref().map(|conflict| {
            let unmet = conflict.unmet.iter();
            let item = |unmet| UnmetItem::new(unmet, details, hidden);
            unmet.map(item).collect()
        }),
        store: other.map(|other| other.store.to_string()),
        asked: other.map(|other| other.asked.to_string()),
        same_below: other.and_then(|other| other.same_below.map(Checkpoint::get)),
        head: error.more.head.map(Checkpoint::get),
        generation: error.more.generation,
        outcome: error.more.outcome,
        idempotency_key: key.map(CommitId::as_str),
        request_id: is_internal.then_some(request_id),
    };
    let mut json = match &error.more.conflict {
        None => to_json(&body),
        Some(conflict) if hidden || is_verdict_only(conflict) => to_json(&body),
        Some(conflict) => with_changesets(&body, conflict, details, layout),
    };
    json.push(b'\n');
    let head = [(CONTENT_TYPE, "application/json")];
    let mut response = (error.status, head, json).into_response();
    if let Some(pause) = error.more.retry_after {
        let seconds = pause.as_secs().max(1);
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// Whether the commit asked for none of the changesets that it missed.
fn is_verdict_only(conflict: &Conflict) -> bool {
    conflict.forthcoming.items.is_empty() && conflict.forthcoming.more
}

/// Writes the body of a conflict, with as many of its changesets as fit.
fn with_changesets(
    body: &ErrorBody<'_>,
    conflict: &Conflict,
    details: bool,
    layout: Layout,
) -> Vec<u8> {
    let page = &conflict.forthcoming;
    let items = page.items.iter();
    let items = items.map(|changeset| ChangesetItem::of_conflict(changeset, details));
    let next = |taken| {
        next(page, taken, Direction::Forward, |changeset| {
            changeset.changeset_id.get()
        })
    };
    write_page(layout, items, Some(MAX_ID), next, |changesets, next| {
        to_json(&ErrorBody {
            forthcoming_changesets: Some(changesets),
            next,
            ..body.clone()
        })
    })
}
