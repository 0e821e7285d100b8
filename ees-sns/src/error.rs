//! Translates the errors of SNS and the SDK into the errors of the publisher port.

use std::error::Error;
use std::fmt::Debug;
use std::iter::successors;
use std::sync::Arc;

use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sns::types::BatchResultErrorEntry;
use ees_core::adapter::PublishError;

/// The error codes of an entry that a retry can correct.
const LATER: [&str; 5] = [
    "InternalError",
    "InternalFailure",
    "RequestExpired",
    "ServiceUnavailable",
    "Throttling",
];

/// The error codes of a call that are about its messages. Others are about the sender, the topic or
/// its key, which an operator has to repair: meanwhile messages wait.
const OF_MESSAGES: [&str; 6] = [
    "BatchRequestTooLong",
    "InvalidParameter",
    "InvalidParameterValue",
    "ParameterValueInvalid",
    "ValidationError",
    "ValidationException",
];

/// The answer of SNS, or the error of the SDK.
#[derive(Debug, thiserror::Error)]
#[error("SNS answered PublishBatch with {0}")]
struct Answer(String);

/// Translates every error of the driver.
pub(crate) fn translate<E, R>(error: &SdkError<E, R>) -> PublishError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug,
{
    let source = Answer(DisplayErrorContext(error).to_string());
    match error {
        SdkError::ServiceError(answer) => {
            let said = answer.err();
            let code = said.code().unwrap_or("an error without a code");
            let reason = format!("{code}: {}", said.message().unwrap_or("no message"));
            refused_or_later(reason, !OF_MESSAGES.contains(&code), Some(source))
        }
        SdkError::ConstructionFailure(_) => refused_or_later(
            "the request could not be built; check that credentials are configured".to_owned(),
            true,
            Some(source),
        ),
        _ => {
            // The innermost error is the cause.
            let causes = successors(error.source(), |&error| error.source());
            let cause = causes
                .last()
                .map_or_else(String::new, |it| format!(": {it}"));
            refused_or_later(format!("no answer from SNS{cause}"), true, Some(source))
        }
    }
}

/// Translates the error of one entry of a successful call.
pub(crate) fn failed(entry: &BatchResultErrorEntry) -> PublishError {
    let message = entry.message().unwrap_or("no message");
    let reason = format!("{}: {message}", entry.code());
    let code = entry.code();
    let of_topic = code.starts_with("KMS") || code.starts_with("Authorization");
    let later = !entry.sender_fault() || of_topic || LATER.contains(&code);
    refused_or_later(reason, later, None)
}

fn refused_or_later(reason: String, later: bool, source: Option<Answer>) -> PublishError {
    let source = source.map(|source| Arc::new(source) as _);
    if later {
        PublishError::Unavailable { reason, source }
    } else {
        PublishError::Refused { reason, source }
    }
}
