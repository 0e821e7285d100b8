//! Translates the errors of DynamoDB and the SDK into the errors of the storage port.

use std::error::Error;
use std::sync::Arc;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use ees_core::{StorageError, Written};

/// The store could not be opened.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No region is configured.
    #[error(
        "no AWS region is set: add `region=REGION` to the storage URL, or set AWS_REGION or a profile"
    )]
    NoRegion,
    /// No credentials were found.
    #[error(
        "no AWS credentials were found: {0}. Give the process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile"
    )]
    NoCredentials(String),
    /// DynamoDB rejects the credentials, or they do not allow a call.
    #[error(
        "{at} refused the credentials: {reason}. Check the key, the region, and that the policy allows {allow} on both tables"
    )]
    Denied {
        /// Where.
        at: String,
        /// The error of DynamoDB.
        reason: String,
        /// The call that the policy must allow.
        allow: &'static str,
    },
    /// DynamoDB does not answer at its endpoint.
    #[error(
        "{at} cannot be reached: {reason}. Check the region, `endpoint=` in the storage URL and the network"
    )]
    Unreachable {
        /// Where.
        at: String,
        /// The error of the network.
        reason: String,
    },
    /// A table differs from its definition.
    #[error("table `{table}` of {at}: found {found}, expected {expected}. {mend}")]
    Table {
        /// The table.
        table: String,
        /// The endpoint and region of the table.
        at: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// How to correct it.
        mend: String,
    },
    /// Another error of the storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The error codes of throttled requests.
const THROTTLED: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "LimitExceededException",
];

/// The error codes of internal errors of DynamoDB.
const FAILED: [&str; 4] = [
    "InternalFailure",
    "InternalServerError",
    "ServiceUnavailable",
    "TransactionInProgressException",
];

/// The error codes of rejected credentials and missing permissions.
const DENIED: [&str; 9] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "UnrecognizedClientException",
];

/// An error of DynamoDB that a retry does not correct.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB answered {call} with {answer}")]
struct Refused {
    call: &'static str,
    answer: String,
}

/// Translates every error of the driver. `written` is the outcome of earlier attempts of a write;
/// for a read it is [`Written::None`].
pub(crate) fn translate<E, R>(
    call: &'static str,
    error: &SdkError<E, R>,
    written: Written,
) -> StorageError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    let unavailable = |reason: String| StorageError::Unavailable {
        reason,
        written,
        retry_after: StorageError::RETRY_AFTER,
        source: Some(Arc::new(Refused {
            call,
            answer: DisplayErrorContext(error).to_string(),
        })),
    };
    let (code, message) = match error {
        SdkError::ServiceError(refused) => (refused.err().code(), refused.err().message()),
        SdkError::TimeoutError(_) => return unavailable("DynamoDB did not answer in time".into()),
        SdkError::DispatchFailure(_) => {
            return unavailable(format!("DynamoDB cannot be reached: {}", innermost(error)));
        }
        _ => return unavailable("DynamoDB's answer cannot be read".into()),
    };
    let answer = format!("{}: {}", code.unwrap_or("an error"), message.unwrap_or(""));
    match code {
        Some(code) if THROTTLED.contains(&code) => {
            unavailable(format!("DynamoDB throttles {call} ({code})"))
        }
        Some(code) if FAILED.contains(&code) => {
            unavailable(format!("DynamoDB failed at {call} ({code})"))
        }
        Some("TransactionConflictException") => {
            unavailable(format!("{call} meets a transaction on the same item"))
        }
        // The credentials of a role expire and are renewed, so a retry can succeed.
        Some("ExpiredTokenException") => unavailable(format!("the credentials expired: {answer}")),
        None => unavailable(format!("DynamoDB failed at {call}")),
        _ if written == Written::Unknown => unavailable(format!("{call} failed: {answer}")),
        _ => StorageError::Backend(Arc::new(Refused { call, answer })),
    }
}

/// Translates an error while a store is opened. `at` is the endpoint and region of DynamoDB.
pub(crate) fn opening<E, R>(call: &'static str, at: &str, error: &SdkError<E, R>) -> OpenError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    let at = at.to_owned();
    match error {
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => OpenError::Unreachable {
            at,
            reason: innermost(error),
        },
        SdkError::ServiceError(refused) => match refused.err().code() {
            Some(code) if DENIED.contains(&code) => OpenError::Denied {
                at,
                reason: format!("{code}: {}", refused.err().message().unwrap_or_default()),
                allow: call,
            },
            _ => translate(call, error, Written::None).into(),
        },
        _ => translate(call, error, Written::None).into(),
    }
}

/// The message of the innermost error, which is the cause.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
