//! Why an invocation failed.

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
    /// The function did not begin.
    #[error("the function did not begin: {0}")]
    Init(String),
    /// The process ended.
    #[error("the function's process ended: {0}")]
    Crashed(String),
    /// It took too long, and was killed.
    #[error("the function was killed after {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The event or the answer is larger than Lambda takes.
    #[error("{what} has {bytes} bytes, more than Lambda takes")]
    TooLarge {
        /// Which of them.
        what: &'static str,
        /// How much it has.
        bytes: usize,
    },
}
