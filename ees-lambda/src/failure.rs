//! What a function says when it cannot do what it was asked.

use ees_core::StorageError;
use lambda_runtime::Diagnostic;

/// A function did not do what it was asked, or does not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The environment is not as it has to be.
    #[error("{0}")]
    Settings(String),
    /// Lambda cannot be talked to.
    #[error("the Lambda runtime failed: {0}")]
    Runtime(String),
    /// The event is not one of those that this function is made for.
    #[error("the event is not as expected: found {found}, expected {expected}")]
    Event {
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The bucket of what failed cannot be used.
    #[error("{call} of bucket `{bucket}` failed: {reason}")]
    Bucket {
        /// What was asked.
        call: &'static str,
        /// The bucket.
        bucket: String,
        /// What S3 said.
        reason: String,
    },
    /// Something that had failed cannot be done again yet; it stays where it is.
    #[error(
        "{left} objects are left in the bucket of what failed, the first one because: {reason}"
    )]
    Left {
        /// How many objects.
        left: usize,
        /// Why the first of them is.
        reason: String,
    },
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let kind = match &failure {
            Failure::Settings(_) => "Settings",
            Failure::Runtime(_) => "Runtime",
            Failure::Event { .. } => "Event",
            Failure::Storage(StorageError::Unavailable { .. }) => "StorageUnavailable",
            Failure::Storage(_) => "Storage",
            Failure::Bucket { .. } => "Bucket",
            Failure::Left { .. } => "Left",
        };
        Self {
            error_type: kind.to_owned(),
            error_message: failure.to_string(),
        }
    }
}
