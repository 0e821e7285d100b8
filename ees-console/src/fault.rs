//! Why a page cannot be shown.

use std::time::Duration;

use axum::http::StatusCode;
use ees_core::Error;
use ees_core::consumer::ConsumerError;
use ees_evidence::LogError;

/// Why a page cannot be shown, or an action was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request makes no sense.
    Wrong(String),
    /// What was asked for does not exist.
    Missing(String),
    /// The key does not allow it.
    Forbidden(String),
    /// The form was not sent by a page of the browser's session.
    Foreign(&'static str),
    /// The storage failed.
    Storage(String),
    /// Too many ask.
    Busy,
}

impl Fault {
    /// The storage does not answer.
    pub(crate) fn silent(after: Duration) -> Self {
        Self::Storage(format!(
            "the storage gave no answer within {} s",
            after.as_secs()
        ))
    }

    /// The key lacks a right.
    pub(crate) fn lacks(name: &str, right: ees_http::Right) -> Self {
        Self::Forbidden(format!("the key `{name}` lacks the right `{right}`"))
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Forbidden(_) | Self::Foreign(_) => StatusCode::FORBIDDEN,
            Self::Storage(_) | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What it is, in a few words.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::Wrong(_) => "This request makes no sense",
            Self::Missing(_) => "Not found",
            Self::Forbidden(_) => "Not allowed",
            Self::Foreign(_) => "Not carried out",
            Self::Storage(_) => "The storage does not answer",
            Self::Busy => "Too many pages are open",
        }
    }

    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Wrong(message)
            | Self::Missing(message)
            | Self::Forbidden(message)
            | Self::Storage(message) => message,
            Self::Foreign(message) => message,
            Self::Busy => "the console makes a limited number of pages at once; try again",
        }
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Store(error) => error.into(),
            other => Self::Missing(other.to_string()),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::StreamNotFound { .. } => Self::Missing(message),
            Error::Consumer(error) => match error {
                ConsumerError::NotFound(_)
                | ConsumerError::NotParked(_)
                | ConsumerError::NotSupported => Self::Missing(message),
                ConsumerError::OutOfReach(_) => Self::Forbidden(message),
                _ => Self::Wrong(message),
            },
            Error::Storage(_) => Self::Storage(message),
            _ => Self::Wrong(message),
        }
    }
}
