//! The errors of invocations.

use std::time::Duration;

/// An invocation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The function answered with an error.
    #[error("{kind}: {message}")]
    Answered {
        /// The `errorType`.
        kind: String,
        /// The `errorMessage`.
        message: String,
    },
    /// The function did not start.
    #[error("the function did not start: {0}")]
    Init(String),
    /// The process ended.
    #[error("the function's process ended: {0}")]
    Crashed(String),
    /// The function exceeded its time limit and was killed.
    #[error("the function was killed after {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The event or the answer exceeds Lambda's limit.
    #[error("{what} has {bytes} bytes, which exceeds Lambda's limit")]
    TooLarge {
        /// The event or the answer.
        what: &'static str,
        /// Its size in bytes.
        bytes: usize,
    },
}
