//! Why a call of the log failed.

use ees_core::{Checkpoint, Error, StorageError};

/// Why a call of the log failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The log does not reach this far yet, or never will.
    #[error("the log is sealed up to size {size}; {asked} is beyond it")]
    NotSealed {
        /// What was asked for: a size, or one more than a checkpoint.
        asked: u64,
        /// The size up to which the log is sealed.
        size: u64,
    },
    /// No head that is kept is signed, or none of the size that was asked for.
    #[error("no signed head{} is kept", .size.map(|size| format!(" of size {size}")).unwrap_or_default())]
    NotSigned {
        /// The size that was asked for; `None` for any.
        size: Option<u64>,
    },
    /// A range that is none.
    #[error(
        "there is no proof from size {from} to size {to}: both are at least 1, and `to` is at least `from`"
    )]
    NoRange {
        /// The smaller size.
        from: u64,
        /// The larger size.
        to: u64,
    },
    /// The checkpoint is not below the size of the head.
    #[error("checkpoint {checkpoint} is not in a log of size {size}")]
    NotInside {
        /// The checkpoint.
        checkpoint: Checkpoint,
        /// The size of the head.
        size: u64,
    },
    /// The key cannot sign.
    #[error("the log's key cannot sign: {0}")]
    Key(#[from] KeyError),
    /// A store that is read in another way than by its storage cannot be read.
    #[error("{0}")]
    Unread(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<StorageError> for LogError {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}

/// A key that cannot be used, or a note that no known key has signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub(crate) String);

/// A proof that proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The text is not a proof.
    #[error("not a proof: {0}")]
    Malformed(&'static str),
    /// The head is not signed by the key.
    #[error(transparent)]
    Key(KeyError),
    /// The proof does not lead from the leaf to the head.
    #[error(
        "the proof does not lead from this changeset to the signed head: one of them was changed"
    )]
    Differs,
}

/// The stored log is not one.
pub(crate) fn damaged(what: impl std::fmt::Display) -> LogError {
    StorageError::Corrupt(format!("the log of the store: {what}")).into()
}
