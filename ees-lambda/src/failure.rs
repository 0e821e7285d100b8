//! The errors of the functions.

use ees_core::StorageError;
use ees_evidence::LogError;
use lambda_runtime::Diagnostic;

/// A function failed or could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// An environment variable is missing or wrong.
    #[error("{0}")]
    Settings(String),
    /// The Lambda runtime cannot be reached.
    #[error("the Lambda runtime failed: {0}")]
    Runtime(String),
    /// The function does not support this event.
    #[error("the function does not support this event: found {found}, expected {expected}")]
    Event {
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log cannot be sealed.
    #[error("the log cannot be sealed: {0}")]
    Log(#[from] LogError),
    /// The failures bucket cannot be used.
    #[error("{call} of bucket `{bucket}` failed: {reason}")]
    Bucket {
        /// The call of S3.
        call: &'static str,
        /// The bucket.
        bucket: String,
        /// The error of S3.
        reason: String,
    },
    /// Objects of the failures bucket cannot be redriven yet. They stay in the bucket.
    #[error("{left} objects remain in the failures bucket, the first one because: {reason}")]
    Left {
        /// The number of objects.
        left: usize,
        /// The reason for the first of them.
        reason: String,
    },
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let kind = match &failure {
            Failure::Settings(_) => "Settings",
            Failure::Runtime(_) => "Runtime",
            Failure::Event { .. } => "Event",
            Failure::Storage(StorageError::Unavailable { .. })
            | Failure::Log(LogError::Store(ees_core::Error::Storage(
                StorageError::Unavailable { .. },
            ))) => "StorageUnavailable",
            Failure::Storage(_) => "Storage",
            Failure::Log(_) => "Log",
            Failure::Bucket { .. } => "Bucket",
            Failure::Left { .. } => "Left",
        };
        Self {
            error_type: kind.to_owned(),
            error_message: failure.to_string(),
        }
    }
}
