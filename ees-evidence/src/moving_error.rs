//! Why data could not be moved.

use ees_core::{ChangesetId, Checkpoint, Error, StorageError, StreamId};

use crate::error::LogError;

/// Why an export, an import or a copy failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// The store failed, or its log is damaged.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The export is to begin beyond the end of the store.
    #[error("the store ends at checkpoint {end}; there is nothing to export from {from} on")]
    BeyondEnd {
        /// Where it was to begin.
        from: Checkpoint,
        /// The end of the store.
        end: Checkpoint,
    },
    /// The order ends with void positions, which an export cannot end with.
    #[error(
        "the positions from {from} up to the end of the order, {end}, are void, and an export ends with a changeset: commit one, and export again"
    )]
    EndsInVoid {
        /// The first of them.
        from: Checkpoint,
        /// The end of the order.
        end: Checkpoint,
    },
    /// The changesets of the store are not those that its log was made of.
    #[error(
        "the changesets below checkpoint {size} are not those that the store's log was made of: `ees verify` tells which"
    )]
    Altered {
        /// The size of the compared logs.
        size: u64,
    },
    /// The input is not an export, or one of another version.
    #[error("this is no export that can be read: {0}")]
    NotAnExport(String),
    /// A line of the input is not one of an export, or is at the wrong place.
    #[error("line {line}, at checkpoint {at}: {problem}")]
    Line {
        /// Its number, from 1 on.
        line: u64,
        /// The checkpoint of the next changeset.
        at: Checkpoint,
        /// What is wrong with it.
        problem: String,
    },
    /// The input was changed after it was written.
    #[error(
        "the export was changed: something between checkpoint {from} and {to} is not as it was written"
    )]
    Changed {
        /// The first checkpoint that may be changed.
        from: Checkpoint,
        /// The checkpoint behind the last one that may be.
        to: Checkpoint,
    },
    /// What follows the changesets in the input, or its first line, was changed after it was written.
    #[error(
        "the export was changed: line {line} does not fit the first line and those behind the changesets"
    )]
    ChangedLine {
        /// The line that tells it.
        line: u64,
    },
    /// The input ends before its last line.
    #[error("the export is not complete: it ends at checkpoint {at}, and its last line is missing")]
    Truncated {
        /// Where it ends.
        at: Checkpoint,
    },
    /// The store ends before the export begins.
    #[error(
        "the store ends at checkpoint {end}, and the export begins at {from}: import what is between first"
    )]
    Behind {
        /// The end of the store.
        end: Checkpoint,
        /// Where the export begins.
        from: Checkpoint,
    },
    /// The store has changesets behind the end of the export.
    #[error(
        "the store goes on to checkpoint {end}, and the export ends at {size}: nothing was changed"
    )]
    Ahead {
        /// The end of the store.
        end: Checkpoint,
        /// The end of the export.
        size: Checkpoint,
    },
    /// The store has another changeset at a position.
    #[error("the store differs from what is imported at checkpoint {0}: nothing was changed")]
    Differs(Checkpoint),
    /// The store has other changesets before those of the export.
    #[error(
        "the store differs from the exported one somewhere below checkpoint {0}, where the export begins: nothing was changed"
    )]
    DiffersBelow(Checkpoint),
    /// Something else has written to the store.
    #[error(
        "the store ends at checkpoint {end} and not at {expected}: something else writes to it"
    )]
    OthersWrite {
        /// Where it ends.
        end: Checkpoint,
        /// Where it ended before.
        expected: Checkpoint,
    },
    /// A changeset has no events. Only the Python original wrote such changesets.
    #[error(
        "changeset {changeset} of stream `{stream}`, at checkpoint {checkpoint}, has no events: only the Python original wrote such changesets, and no store takes a copy of them, so the data stays in its table of DynamoDB"
    )]
    WithoutEvents {
        /// Its position.
        checkpoint: Checkpoint,
        /// Its stream.
        stream: StreamId,
        /// Its number in the stream.
        changeset: ChangesetId,
    },
    /// A changeset is larger than the store takes.
    #[error(
        "the changeset at checkpoint {checkpoint} has {size} bytes of events and metadata; the store takes at most {limit}"
    )]
    TooLarge {
        /// Its position.
        checkpoint: Checkpoint,
        /// Its size in bytes.
        size: usize,
        /// The largest size that the store takes.
        limit: usize,
    },
    /// The store refuses a page.
    #[error("the store refuses the changesets from checkpoint {from} on: {reason}")]
    Refused {
        /// The first of them.
        from: Checkpoint,
        /// Why.
        reason: String,
    },
    /// What the store has is not what was written.
    #[error(
        "what the store has up to checkpoint {size} is not what was imported: `ees verify` tells more"
    )]
    ReadBack {
        /// The end of what was compared.
        size: Checkpoint,
    },
}

impl MoveError {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Log(LogError::Store(error)) if error.is_retryable())
    }
}

impl From<Error> for MoveError {
    fn from(error: Error) -> Self {
        Self::Log(error.into())
    }
}

impl From<StorageError> for MoveError {
    fn from(error: StorageError) -> Self {
        Self::Log(error.into())
    }
}
