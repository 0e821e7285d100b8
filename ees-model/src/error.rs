//! Why a command was not executed.

use std::fmt::{Debug, Display};

use ees_core::{CommitId, PayloadError, StreamId, StreamIdError, UnreadableEvent};

/// Why a command was not executed. `R` is the error of the decider, `E` that of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<R: Debug + Display, E: std::error::Error + 'static> {
    /// The decider refuses the command. Nothing was written.
    #[error("{0}")]
    Refused(R),
    /// The store failed. The commit may have happened: the same command with the same id may be sent
    /// again.
    #[error(transparent)]
    Store(E),
    /// An event in the stream cannot be read as an event of the decider. Nothing was written.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    /// Others committed to the stream before each try. Nothing was written.
    #[error("others committed before each of {tries} tries to commit what was decided")]
    TooManyConflicts {
        /// How often it was decided.
        tries: u32,
    },
    /// The command's id stands in the stream for another command. Nothing was written.
    #[error("the id of the command was used for another command on stream `{stream_id}`")]
    CommandIdReused {
        /// The stream.
        stream_id: StreamId,
    },
    /// The id cannot be the id of a command. Nothing was written.
    #[error(
        "a command id is 1 to 255 printable ASCII characters and does not begin with `{prefix}`: `{text}`",
        prefix = CommitId::GENERATED_PREFIX
    )]
    CommandId {
        /// The text.
        text: String,
    },
    /// The text is not a stream id.
    #[error(transparent)]
    StreamId(#[from] StreamIdError),
    /// The events cannot be written as JSON. Nothing was written.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}
