//! What an indexer or a reader finds that can never be, and stops at.

use crate::ports::{ChangesetKey, IndexState};
use crate::{Checkpoint, StorageError};

/// What the storage holds contradicts its own state: something else has written to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Corruption {
    /// A changeset has another position than the one that was reserved for it.
    #[error("{key} was given position {reserved}, but stands at {found}")]
    Misplaced {
        /// The changeset.
        key: ChangesetKey,
        /// Its position by the state.
        reserved: Checkpoint,
        /// Its position as stored.
        found: Checkpoint,
    },
    /// A position was reserved for a changeset that is not there, or no longer readable.
    #[error("{key} was given position {reserved}, but is gone")]
    Gone {
        /// The changeset.
        key: ChangesetKey,
        /// Its position by the state.
        reserved: Checkpoint,
    },
    /// The index holds a position that was not decided when the state was read after it.
    #[error("the index holds position {found}, although positions end before {next}")]
    Undecided {
        /// The position found.
        found: Checkpoint,
        /// The first position that is not decided.
        next: Checkpoint,
    },
    /// The index answers positions that do not ascend, a position twice, or one that is void.
    #[error("the index holds {key} at a position that another has, or nobody")]
    Disordered {
        /// The changeset found.
        key: ChangesetKey,
    },
    /// The port answered what was not asked.
    #[error("the storage answered what was not asked")]
    Unasked,
}

impl Corruption {
    /// Whether what was found under a key that has a reserved position may stand there.
    pub(super) fn check(
        key: &ChangesetKey,
        reserved: Checkpoint,
        found: Option<Checkpoint>,
    ) -> Result<(), Self> {
        match found {
            Some(found) if found != reserved => Err(Self::Misplaced {
                key: key.clone(),
                reserved,
                found,
            }),
            _ => Ok(()),
        }
    }

    /// The index shows a position that the state, read later, does not know.
    pub(super) fn check_decided(found: Option<Checkpoint>, state: &IndexState) -> Result<(), Self> {
        let next = state.next();
        match found {
            Some(found) if found >= next => Err(Self::Undecided { found, next }),
            _ => Ok(()),
        }
    }
}

impl From<Corruption> for StorageError {
    fn from(corruption: Corruption) -> Self {
        Self::Corrupt(corruption.to_string())
    }
}
