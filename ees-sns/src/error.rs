//! What SNS and the SDK say, in the words of the publisher port.

use std::error::Error;
use std::fmt::Debug;
use std::iter::successors;
use std::sync::Arc;

use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sns::types::BatchResultErrorEntry;
use ees_core::adapter::PublishError;

/// Codes that mean: not now. All that SNS answers with a status from 500 on means it too.
const LATER: [&str; 8] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalError",
    "InternalFailure",
    "KMSThrottling",
    "RequestExpired",
    "ServiceUnavailable",
    "Throttling",
];

/// SNS refused or failed.
#[derive(Debug, thiserror::Error)]
#[error("SNS answered PublishBatch with {0}")]
struct Answer(String);

/// The one place that translates the driver's errors.
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
            let reason = format!("{code}: {}", said.message().unwrap_or("nothing more"));
            let throttled = code.contains("Throttl");
            refused_or_later(reason, throttled || LATER.contains(&code), Some(source))
        }
        SdkError::ConstructionFailure(_) => refused_or_later(
            "the request could not be made; are there credentials?".to_owned(),
            true,
            Some(source),
        ),
        _ => {
            // The error at the bottom says what happened.
            let causes = successors(error.source(), |&error| error.source());
            let cause = causes
                .last()
                .map_or_else(String::new, |it| format!(": {it}"));
            refused_or_later(format!("no answer from SNS{cause}"), true, Some(source))
        }
    }
}

/// An entry of a call that went well otherwise.
pub(crate) fn failed(entry: &BatchResultErrorEntry) -> PublishError {
    let message = entry.message().unwrap_or("nothing more");
    let reason = format!("{}: {message}", entry.code());
    let later = !entry.sender_fault() || LATER.contains(&entry.code());
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
