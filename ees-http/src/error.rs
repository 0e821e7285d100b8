//! The one place that maps errors to answers.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use ees_core::{
    CommitId, Conflict, Direction, Error, PayloadError, StorageError, StreamIdError, Written,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{ChangesetItem, Raw, to_json};
use crate::page::{Items, frame_bytes, next};
use crate::params::Common;

/// A refusal or a failure, on its way to become an answer: [`finish`](crate::finish) writes the
/// body, when all that belongs into it is known.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    more: Box<More>,
}

/// What only some errors have.
#[derive(Debug, Clone, Default)]
struct More {
    /// For the log only: what lies behind a failure.
    cause: Option<String>,
    stream_id: Option<String>,
    conflict: Option<Box<Conflict>>,
    details: bool,
    outcome: Option<&'static str>,
    idempotency_key: Option<CommitId>,
    retry_after: Option<Duration>,
}

/// The body of every error.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody<'a> {
    /// The code: what programs look at.
    error: &'a str,
    /// What was wrong and what was expected: for people.
    message: &'a str,
    /// The stream, where the path names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<&'a str>,
    /// With `OPTIMISTIC_CONCURRENCY_EXCEPTION`: every changeset that holds something after the
    /// expectation, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ChangesetItem>>)]
    forthcoming_changesets: Option<Raw<'a>>,
    /// Where more of them remain: the `from` of the next page of the stream's changesets.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// With 503: `none`, nothing was written; `unknown`, it may have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    /// With 503 to a commit: repeat it with this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
    /// With 500: what to look for in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: String) -> Self {
        Self {
            status,
            code,
            message,
            more: Box::default(),
        }
    }

    pub(crate) fn bad_request(code: &'static str, message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The code of what is turned away.
    pub(crate) const OVERLOADED: &str = "OVERLOADED";

    /// Too much at once.
    pub(crate) fn overloaded(message: String) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut error = Self::new(status, Self::OVERLOADED, message);
        error.more.outcome = Some("none");
        error.more.retry_after = Some(StorageError::RETRY_AFTER);
        error
    }

    /// A defect; what lies behind it goes into the log.
    pub(crate) fn internal(cause: String) -> Self {
        let message = "something went wrong in the server; its log tells more under the request id";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let mut error = Self::new(status, "INTERNAL", message.to_owned());
        error.more.cause = Some(cause);
        error
    }

    /// For the log only: what lies behind a failure.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.more.cause.as_deref()
    }

    /// Names the stream that the path names.
    pub(crate) fn on_stream(mut self, stream_id: &str) -> Self {
        self.more.stream_id = Some(stream_id.to_owned());
        self
    }

    /// Names the key to repeat the commit with, where that is the thing to do.
    pub(crate) fn repeatable_with(mut self, key: &CommitId) -> Self {
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            self.more.idempotency_key = Some(key.clone());
        }
        self
    }

    /// Shows a conflict's changesets with or without details.
    pub(crate) fn with_details(mut self, shown: bool) -> Self {
        self.more.details = shown;
        self
    }

    /// Writes the answer.
    pub(crate) fn render(&self, request_id: &str, is_pretty: bool) -> Response {
        let internal = self.status == StatusCode::INTERNAL_SERVER_ERROR;
        let mut body = ErrorBody {
            error: self.code,
            message: &self.message,
            stream_id: self.more.stream_id.as_deref(),
            forthcoming_changesets: None,
            next: None,
            outcome: self.more.outcome,
            idempotency_key: self.more.idempotency_key.as_ref().map(CommitId::as_str),
            request_id: internal.then_some(request_id),
        };
        let json = match &self.more.conflict {
            None => to_json(&body),
            Some(conflict) => {
                let common = Common {
                    details: self.more.details,
                    pretty: is_pretty,
                };
                let (items, next) = forthcoming(conflict, &mut body, common);
                body.next = next;
                body.forthcoming_changesets = Some(items.raw());
                to_json(&body)
            }
        };
        let mut response =
            (self.status, [(CONTENT_TYPE, "application/json")], json).into_response();
        let headers = response.headers_mut();
        if let Some(pause) = self.more.retry_after {
            headers.insert(RETRY_AFTER, pause.as_secs().max(1).into());
        }
        response
    }
}

/// As many of a conflict's changesets as go into one body.
fn forthcoming(
    conflict: &Conflict,
    frame: &mut ErrorBody<'_>,
    common: Common,
) -> (Items, Option<u64>) {
    frame.next = Some(ees_core::MAX_ID);
    let room = frame_bytes(frame, common.pretty) + "\"forthcoming_changesets\":[],".len();
    let page = &conflict.forthcoming;
    let shown = page.items.iter();
    let shown = shown.map(|changeset| ChangesetItem::of_stream(changeset, common.details));
    let items = Items::fill(shown, room, common.pretty);
    let next = next(page, items.taken, Direction::Forward, |changeset| {
        changeset.changeset_id.get()
    });
    (items, next)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Conflict(_) => StatusCode::CONFLICT,
            Error::IdempotencyKeyReused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Error::ChangesetTooLarge { .. } | Error::StreamTooLarge { .. } => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Error::StreamNotFound { .. } => StatusCode::NOT_FOUND,
            Error::Storage(_) => return Self::from_storage(&error),
            // `ExpectationAhead`, and what the core may come to refuse.
            _ => StatusCode::BAD_REQUEST,
        };
        let mut answer = Self::new(status, error.code(), error.to_string());
        if let Error::Conflict(conflict) = error {
            answer.more.conflict = Some(conflict);
        }
        answer
    }
}

impl ApiError {
    fn from_storage(error: &Error) -> Self {
        let Error::Storage(StorageError::Unavailable {
            written,
            retry_after,
            source,
            ..
        }) = error
        else {
            return Self::internal(error.to_string());
        };
        let (outcome, advice) = match written {
            Written::None => ("none", "Nothing was written; try again later"),
            Written::Unknown => (
                "unknown",
                "Whether the commit happened is not known; repeat it with the same idempotency key",
            ),
        };
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut answer = Self::new(status, error.code(), format!("{error}. {advice}"));
        answer.more.cause = source.as_ref().map(ToString::to_string);
        answer.more.outcome = Some(outcome);
        answer.more.retry_after = Some(*retry_after);
        answer
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        Error::from(error).into()
    }
}

impl From<StreamIdError> for ApiError {
    fn from(error: StreamIdError) -> Self {
        Self::bad_request(error.code(), error.to_string())
    }
}

impl From<PayloadError> for ApiError {
    fn from(error: PayloadError) -> Self {
        Self::bad_request(error.code(), error.to_string())
    }
}
