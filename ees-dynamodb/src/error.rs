//! What DynamoDB and the SDK say, in the words of the storage port.

use std::error::Error;
use std::sync::Arc;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use ees_core::{StorageError, Written};

/// The store could not be opened.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing says which region the tables are in.
    #[error(
        "no AWS region is set: add `region=REGION` to the storage URL, or set AWS_REGION or a profile"
    )]
    NoRegion,
    /// Nobody vouches for this process.
    #[error(
        "no AWS credentials were found: {0}. Give the process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile"
    )]
    NoCredentials(String),
    /// DynamoDB does not accept who we are, or what we may do.
    #[error(
        "{at} refused the credentials: {reason}. Check the key, the region, and that the policy allows {allow} on both tables"
    )]
    Denied {
        /// Where.
        at: String,
        /// What DynamoDB said.
        reason: String,
        /// What must be allowed.
        allow: &'static str,
    },
    /// Nothing answers there.
    #[error(
        "{at} cannot be reached: {reason}. Check the region, `endpoint=` in the storage URL and the network"
    )]
    Unreachable {
        /// Where.
        at: String,
        /// What the network said.
        reason: String,
    },
    /// A table is not as it has to be.
    #[error("table `{table}` of {at}: found {found}, expected {expected}. {mend}")]
    Table {
        /// The table.
        table: String,
        /// Where it is.
        at: String,
        /// What was found.
        found: String,
        /// What is needed.
        expected: String,
        /// What to do.
        mend: String,
    },
    /// The storage failed in another way.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Codes that mean: not now.
const THROTTLED: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "LimitExceededException",
];

/// Codes that mean: an error of DynamoDB's own.
const FAILED: [&str; 4] = [
    "InternalFailure",
    "InternalServerError",
    "ServiceUnavailable",
    "TransactionInProgressException",
];

/// Codes that mean: not you.
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

/// DynamoDB refused or failed at something that trying again will not mend.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB answered {call} with {answer}")]
struct Refused {
    call: &'static str,
    answer: String,
}

/// The one place that translates the driver's errors. `written` says what became of earlier tries
/// of a write; for a read it is [`Written::None`].
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
        // A role's credentials expire and are renewed.
        Some("ExpiredTokenException") => unavailable(format!("the credentials expired: {answer}")),
        None => unavailable(format!("DynamoDB failed at {call}")),
        _ if written == Written::Unknown => unavailable(format!("{call} failed: {answer}")),
        _ => StorageError::Backend(Arc::new(Refused { call, answer })),
    }
}

/// What an error means to who opens the store. `at` says where DynamoDB was looked for.
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

/// The error at the bottom, which says what happened.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
