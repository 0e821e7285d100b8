//! The requests of the indexer to a storage, and the answers.

use crate::Checkpoint;
use crate::ports::{ChangesetKey, Entry, IndexState, PositionWrite};

/// A call of the [`Index`](crate::ports::Index) port that the indexer wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Request {
    /// The state.
    Load,
    /// Look up these keys: any number, in calls of any size.
    LookUp(Vec<ChangesetKey>),
    /// Write the position of a changeset.
    Write {
        /// The changeset.
        key: ChangesetKey,
        /// Its position.
        position: Checkpoint,
    },
    /// Replace the state with this `rev`.
    Swap {
        /// The `rev` that the stored state must have.
        previous: u64,
        /// The new state.
        next: IndexState,
    },
    /// Pause for a random time: another worker won the swap, or is at work.
    Pause,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// To [`Request::Load`].
    Loaded(IndexState),
    /// To [`Request::LookUp`]: each key, in order, with its entry.
    LookedUp(Vec<(ChangesetKey, Entry)>),
    /// To [`Request::Write`]: the key and the outcome.
    Written(ChangesetKey, PositionWrite),
    /// To [`Request::Swap`]: whether it succeeded.
    Swapped(bool),
    /// To [`Request::Pause`].
    Paused,
}
