//! Maps the errors of the verifiable log to the wire contract.

use axum::http::StatusCode;
use ees_evidence::LogError;

use crate::codes;
use crate::error::ApiError;

impl From<LogError> for ApiError {
    fn from(error: LogError) -> Self {
        let message = error.to_string();
        let (status, code) = match error {
            LogError::Store(error) => return error.into(),
            LogError::NotSealed { .. } | LogError::NotInside { .. } => {
                (StatusCode::NOT_FOUND, codes::NOT_SEALED)
            }
            LogError::NotSigned { .. } => (StatusCode::NOT_FOUND, codes::NOT_SIGNED),
            LogError::NoRange { .. } => (StatusCode::BAD_REQUEST, codes::INVALID_LOG_SIZE),
            // Reads need no key.
            _ => return Self::internal(message),
        };
        Self::new(status, code, message)
    }
}

impl ApiError {
    /// The storage has no place for a log.
    pub(crate) fn no_log() -> Self {
        let message = "the storage keeps no verifiable log".to_owned();
        Self::new(StatusCode::NOT_FOUND, codes::NO_LOG, message)
    }

    /// Nothing, or not so much, is sealed yet.
    pub(crate) fn not_sealed(message: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, codes::NOT_SEALED, message)
    }
}
