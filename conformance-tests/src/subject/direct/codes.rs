//! The codes of the wire contract for the errors of the core.
//!
//! The suite states the contract itself: it shares no code with the REST interface that it tests.

use ees_core::{Error, PayloadError, SetError, StorageError, StreamIdError};

/// The code of an idempotency key that breaks a rule.
pub(super) const OF_KEY: &str = "INVALID_IDEMPOTENCY_KEY";

pub(super) fn of(error: &Error) -> &'static str {
    match error {
        Error::SetConflict(conflict) if conflict.is_ahead() => "INVALID_EXPECTED_CHANGESET_ID",
        Error::Conflict(_) | Error::SetConflict(_) => "OPTIMISTIC_CONCURRENCY_EXCEPTION",
        Error::InSet { error, .. } => of(error),
        Error::ExpectationAhead { .. } => "INVALID_EXPECTED_CHANGESET_ID",
        Error::IdempotencyKeyReused(_) => "IDEMPOTENCY_KEY_REUSED",
        Error::IdempotencyKey(_) => OF_KEY,
        Error::ChangesetTooLarge { .. } | Error::Set(SetError::TooLarge { .. }) => {
            "CHANGESET_TOO_LARGE"
        }
        Error::Set(_) => "INVALID_BODY",
        Error::StreamTooLarge { .. } => "STREAM_TOO_LARGE",
        Error::CheckpointBeyondHead { .. } => "CHECKPOINT_BEYOND_HEAD",
        Error::OtherStore(_) => "OTHER_STORE",
        Error::StreamNotFound { .. } => "STREAM_NOT_FOUND",
        Error::Storage(StorageError::Unavailable { .. }) => "STORAGE_UNAVAILABLE",
        Error::Storage(StorageError::Fenced { .. }) => "STORE_FENCED",
        Error::Storage(StorageError::Corrupt(_) | StorageError::Backend(_)) => "INTERNAL",
        other => panic!("the contract has no code for this error: {other}"),
    }
}

pub(super) fn of_stream_id(error: &StreamIdError) -> &'static str {
    match error {
        StreamIdError::Empty => "MISSING_STREAM_ID",
        _ => "INVALID_STREAM_ID",
    }
}

pub(super) fn of_payload(error: &PayloadError) -> &'static str {
    match error {
        PayloadError::NoEvents => "NO_EVENTS",
        _ => "INVALID_BODY",
    }
}
