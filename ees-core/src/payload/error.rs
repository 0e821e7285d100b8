//! The errors of a payload.

/// How deep a payload may be nested: `[[1]]` has two levels.
pub const MAX_DEPTH: usize = 100;

/// Why a text is not a valid payload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    NotJson(serde_json::Error),
    /// Events must be a JSON array.
    #[error("events must be a JSON array")]
    NotAnArray,
    /// The array is empty; a changeset has at least one event.
    #[error("a changeset needs at least one event")]
    NoEvents,
    /// The value is nested deeper than [`MAX_DEPTH`] levels.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A string holds half of an escaped surrogate pair, which UTF-8 cannot represent.
    #[error("a string holds the escaped lone surrogate \\u{0}")]
    LoneSurrogate(String),
}

impl From<serde_json::Error> for PayloadError {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson(error)
    }
}
