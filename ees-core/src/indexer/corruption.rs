//! The contradictions in stored data at which an indexer or a reader stops.

use crate::ports::{ChangesetKey, IndexState};
use crate::{Checkpoint, StorageError};

/// The stored data contradicts the state: another program has written to the storage.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Corruption {
    /// A changeset has another position than the one that was reserved for it.
    #[error("position {reserved} was reserved for {key}, but the changeset has position {found}")]
    Misplaced {
        /// The changeset.
        key: ChangesetKey,
        /// Its position in the state.
        reserved: Checkpoint,
        /// Its position as stored.
        found: Checkpoint,
    },
    /// A position was reserved for a changeset that is missing or no longer readable.
    #[error("position {reserved} was reserved for {key}, but it is missing or unreadable")]
    Gone {
        /// The changeset.
        key: ChangesetKey,
        /// Its position in the state.
        reserved: Checkpoint,
    },
    /// The index holds a position that was not decided when the state was read after it.
    #[error("the index holds position {found}, but no position from {next} on is decided")]
    Undecided {
        /// The position found.
        found: Checkpoint,
        /// The first position that is not decided.
        next: Checkpoint,
    },
    /// The index answers positions that do not ascend, are repeated, or are void.
    #[error("the index holds {key} at a position that is void, repeated or out of order")]
    Disordered {
        /// The changeset found.
        key: ChangesetKey,
    },
    /// The answer of the port does not match the request.
    #[error("the storage's answer does not match the request")]
    Unasked,
}

impl Corruption {
    /// Checks the position found under a key against the reserved one.
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

    /// Checks that a position of the index is decided by the state, which was read later.
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
