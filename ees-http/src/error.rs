//! Maps an error to the wire contract: its status, its code and its other fields.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ees_core::consumer::ConsumerError;
use ees_core::{
    Changeset, Checkpoint, CommitId, CommitIdError, Conflict, Error, Expectation, Head, OtherStore,
    PayloadError, SetConflict, SetError, StorageError, StreamIdError, Written,
};

use crate::codes::{self, Code};
use crate::long_work::{Payload, bytes_of};

/// A refusal or a failure on its way to the layer `finish`, which writes its body: only that layer
/// knows the request's id and its layout.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) more: Box<More>,
}

/// The fields that only some errors have.
#[derive(Debug, Clone, Default)]
pub(crate) struct More {
    /// The cause of a failure. It goes into the log, not into the answer.
    pub(crate) cause: Option<String>,
    pub(crate) stream_id: Option<String>,
    pub(crate) conflict: Option<Box<Conflict>>,
    /// Of a set: what does not hold.
    pub(crate) set_conflict: Option<Box<SetConflict>>,
    /// The last changeset and the last event of the stream that a commit did not expect; 0 if there
    /// is none.
    pub(crate) end: Option<(u64, u64)>,
    /// With `IDEMPOTENCY_KEY_REUSED`: the changeset that has the key.
    pub(crate) changeset: Option<Box<Changeset>>,
    /// Whether changesets are shown with details.
    pub(crate) details: bool,
    /// Whether changesets are left out.
    pub(crate) changesets_are_hidden: bool,
    /// The end of the global order, for a checkpoint beyond it or of another store.
    pub(crate) head: Option<Checkpoint>,
    /// With `FENCED`: the generation of the partition's last batch.
    pub(crate) generation: Option<u64>,
    /// With `OTHER_STORE`: both stores.
    pub(crate) other_store: Option<Box<OtherStore>>,
    pub(crate) outcome: Option<&'static str>,
    pub(crate) idempotency_key: Option<CommitId>,
    pub(crate) retry_after: Option<Duration>,
    /// Whether the answer is held back for a moment.
    pub(crate) is_held_back: bool,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: Code, message: String) -> Self {
        Self {
            status,
            code,
            message: bounded(message),
            more: Box::default(),
        }
    }

    pub(crate) fn bad_request(code: Code, message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A limit on concurrent requests, long polls or buffered bytes is reached.
    pub(crate) fn overloaded(message: String) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut error = Self::new(status, codes::OVERLOADED, message);
        error.more.outcome = Some("none");
        error.more.retry_after = Some(StorageError::RETRY_AFTER);
        error
    }

    /// A defect. Its cause goes into the log.
    pub(crate) fn internal(cause: String) -> Self {
        let message = "an internal error occurred; the server's log has its cause under this \
                       `request_id`";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let mut error = Self::new(status, codes::INTERNAL, message.to_owned());
        error.more.cause = Some(cause);
        error
    }

    /// Names the stream of the request's path.
    pub(crate) fn on_stream(mut self, stream_id: &str) -> Self {
        self.more.stream_id = Some(stream_id.to_owned());
        self
    }

    /// Names the key to repeat the commit with. An answer that does not ask for a repeat leaves it
    /// out.
    pub(crate) fn repeatable_with(mut self, key: &CommitId) -> Self {
        self.more.idempotency_key = Some(key.clone());
        self
    }

    /// Leaves the changesets of a refusal out, for a caller who may not read them.
    pub(crate) fn hide_changesets(&mut self) {
        self.more.changesets_are_hidden = true;
    }

    /// How many bytes of changesets its answer may have.
    pub(crate) fn payload_bytes(&self) -> usize {
        let missed = self.more.conflict.as_ref();
        let missed = missed.map_or(0, |conflict| bytes_of(&conflict.forthcoming.items));
        let of_set = self.more.set_conflict.iter().flat_map(|set| &set.unmet);
        let of_set: usize = of_set.map(|unmet| bytes_of(&unmet.forthcoming.items)).sum();
        let other = self.more.changeset.as_ref();
        missed + of_set + other.map_or(0, |changeset| changeset.bytes())
    }

    /// Shows changesets with or without details.
    pub(crate) fn with_details(mut self, shown: bool) -> Self {
        self.more.details = shown;
        self
    }

    /// A conflict. Its message says what to send instead.
    fn in_conflict(conflict: Box<Conflict>, message: &str) -> Self {
        let (changeset, event) = end(&conflict.head);
        let next = parameter(match conflict.expectation {
            Expectation::LastChangeset(_) => Expectation::LastChangeset(changeset),
            Expectation::LastEvent(_) => Expectation::LastEvent(event),
        });
        let message = format!("{message}; read what you missed, decide again and send `{next}`");
        let code = codes::OPTIMISTIC_CONCURRENCY_EXCEPTION;
        let mut answer = Self::new(StatusCode::CONFLICT, code, message);
        answer.more.end = Some((changeset, event));
        answer.more.conflict = Some(conflict);
        answer
    }

    /// A set of which something does not hold.
    fn of_set(conflict: Box<SetConflict>, message: String) -> Self {
        let mut answer = if conflict.is_ahead() {
            Self::bad_request(codes::INVALID_EXPECTED_CHANGESET_ID, message)
        } else {
            let message = format!("{message}; read what you missed, decide again and send the set");
            let code = codes::OPTIMISTIC_CONCURRENCY_EXCEPTION;
            Self::new(StatusCode::CONFLICT, code, message)
        };
        answer.more.set_conflict = Some(conflict);
        answer
    }

    fn from_consumer(error: &ConsumerError, message: String) -> Self {
        let (status, code) = match error {
            ConsumerError::NotSupported => {
                (StatusCode::NOT_IMPLEMENTED, codes::CONSUMERS_NOT_SUPPORTED)
            }
            ConsumerError::Name(_) => (StatusCode::BAD_REQUEST, codes::INVALID_CONSUMER_NAME),
            ConsumerError::Definition(_) | ConsumerError::Invalid(_) => {
                (StatusCode::BAD_REQUEST, codes::INVALID_BODY)
            }
            ConsumerError::Exists(_) => (StatusCode::CONFLICT, codes::CONSUMER_EXISTS),
            ConsumerError::TooMany => (StatusCode::CONFLICT, codes::TOO_MANY_CONSUMERS),
            ConsumerError::OutOfReach(_) => (StatusCode::FORBIDDEN, codes::FORBIDDEN),
            ConsumerError::NotFound(_) => (StatusCode::NOT_FOUND, codes::CONSUMER_NOT_FOUND),
            ConsumerError::NotParked(_) => (StatusCode::NOT_FOUND, codes::STREAM_NOT_PARKED),
            ConsumerError::Fenced { .. } => (StatusCode::CONFLICT, codes::FENCED),
            // An error that the core has and the contract does not.
            _ => return Self::internal(message),
        };
        let mut answer = Self::new(status, code, message);
        if let ConsumerError::Fenced { generation, .. } = error {
            answer.more.generation = Some(*generation);
        }
        answer
    }

    /// A commit to a store that has moved. It may be repeated: at the new address, or here once an
    /// operator has lifted the fence.
    fn fenced(text: &str) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let message = format!("{text}. Nothing was written; send the commit to the new address");
        let mut answer = Self::new(status, codes::STORE_FENCED, message);
        answer.more.outcome = Some("none");
        answer
    }

    fn from_storage(error: StorageError) -> Self {
        let text = error.to_string();
        if matches!(error, StorageError::Fenced { .. }) {
            return Self::fenced(&text);
        }
        let StorageError::Unavailable {
            written,
            retry_after,
            source,
            ..
        } = error
        else {
            return Self::internal(text);
        };
        let (outcome, advice) = match written {
            Written::None => ("none", "Nothing was written; try again later"),
            Written::Unknown => (
                "unknown",
                "Whether the commit happened is not known; repeat it with the same idempotency key",
            ),
        };
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let message = format!("{text}. {advice}");
        let mut answer = Self::new(status, codes::STORAGE_UNAVAILABLE, message);
        answer.more.cause = source.map(|source| source.to_string());
        answer.more.outcome = Some(outcome);
        answer.more.retry_after = Some(retry_after);
        answer
    }
}

/// The longest message, in characters: it may contain what a client sent.
const MAX_MESSAGE: usize = 1000;

/// Cuts a message that is too long.
fn bounded(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) {
        message.truncate(end);
        message.push_str("...");
    }
    message
}

/// The parameter that states an expectation.
fn parameter(expectation: Expectation) -> String {
    match expectation {
        Expectation::LastChangeset(last) => format!("expected_last_changeset={last}"),
        Expectation::LastEvent(last) => format!("expected_last_event={last}"),
    }
}

/// The last changeset and the last event.
fn end(head: &Head) -> (u64, u64) {
    (head.last_changeset.get(), head.last_event.get())
}

impl IntoResponse for ApiError {
    /// An empty answer that carries the error to the layer `finish`.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let (status, code) = match error {
            Error::Conflict(conflict) => return Self::in_conflict(conflict, &message),
            Error::SetConflict(conflict) => return Self::of_set(conflict, message),
            Error::ChangesetTooLarge { .. } | Error::Set(SetError::TooLarge { .. }) => {
                (StatusCode::PAYLOAD_TOO_LARGE, codes::CHANGESET_TOO_LARGE)
            }
            Error::Set(_) => (StatusCode::BAD_REQUEST, codes::INVALID_BODY),
            Error::InSet { stream_id, error } => {
                let mut answer = Self::from(*error).on_stream(stream_id.as_str());
                answer.message = bounded(message);
                return answer;
            }
            Error::CheckpointBeyondHead { head, .. } => {
                let mut answer = Self::bad_request(codes::CHECKPOINT_BEYOND_HEAD, message);
                answer.more.head = Some(head);
                return answer;
            }
            Error::OtherStore(other) => {
                let mut answer = Self::new(StatusCode::CONFLICT, codes::OTHER_STORE, message);
                answer.more.head = Some(other.head);
                answer.more.other_store = Some(other);
                return answer;
            }
            Error::ExpectationAhead {
                head, expectation, ..
            } => {
                let code = codes::INVALID_EXPECTED_CHANGESET_ID;
                let message = format!("`{}`: {message}", parameter(expectation));
                let mut answer = Self::bad_request(code, message);
                answer.more.end = Some(head.as_ref().map_or((0, 0), end));
                return answer;
            }
            Error::IdempotencyKeyReused(changeset) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                let mut answer = Self::new(status, codes::IDEMPOTENCY_KEY_REUSED, message)
                    .on_stream(changeset.stream_id.as_str());
                answer.more.changeset = Some(changeset);
                return answer;
            }
            Error::StreamTooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, codes::STREAM_TOO_LARGE)
            }
            Error::StreamNotFound { .. } => (StatusCode::NOT_FOUND, codes::STREAM_NOT_FOUND),
            Error::Consumer(error) => return Self::from_consumer(&error, message),
            Error::Storage(error) => return Self::from_storage(error),
            // An error that the core has and the contract does not.
            _ => return Self::internal(message),
        };
        Self::new(status, code, message)
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        Self::from_storage(error)
    }
}

impl From<StreamIdError> for ApiError {
    fn from(error: StreamIdError) -> Self {
        let code = match error {
            StreamIdError::Empty => codes::MISSING_STREAM_ID,
            _ => codes::INVALID_STREAM_ID,
        };
        Self::bad_request(code, error.to_string())
    }
}

impl ApiError {
    /// A payload that is refused; `part` is the member of the body that holds it.
    pub(crate) fn in_body(part: &str, error: &PayloadError) -> Self {
        let code = match error {
            PayloadError::NoEvents => codes::NO_EVENTS,
            _ => codes::INVALID_BODY,
        };
        Self::bad_request(code, format!("`{part}`: {error}"))
    }

    /// An idempotency key that is refused. `what` precedes the rule in the message.
    pub(crate) fn in_key(what: &str, rule: &CommitIdError) -> Self {
        let message = format!("`Idempotency-Key`{what}: {rule}");
        Self::bad_request(codes::INVALID_IDEMPOTENCY_KEY, message)
    }
}
