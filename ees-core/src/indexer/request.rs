//! What the indexer asks of a storage, and the answers.

use crate::Checkpoint;
use crate::ports::{ChangesetKey, Entry, IndexState, PositionWrite};

/// A call of the [`Index`](crate::ports::Index) port that the indexer wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Request {
    /// The state.
    Load,
    /// What stands under these keys: any number, to be asked for in any pieces.
    LookUp(Vec<ChangesetKey>),
    /// A position for a changeset.
    Write {
        /// The changeset.
        key: ChangesetKey,
        /// Its position.
        position: Checkpoint,
    },
    /// Another state in the place of the one with this `rev`.
    Swap {
        /// The `rev` that must still stand.
        previous: u64,
        /// The state to put there.
        next: IndexState,
    },
    /// A random pause: somebody else was faster.
    Pause,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// To [`Request::Load`].
    Loaded(IndexState),
    /// To [`Request::LookUp`]: each key, in order, with what stands there.
    LookedUp(Vec<(ChangesetKey, Entry)>),
    /// To [`Request::Write`]: the key, and what became of it.
    Written(ChangesetKey, PositionWrite),
    /// To [`Request::Swap`]: whether it happened.
    Swapped(bool),
    /// To [`Request::Pause`].
    Paused,
}
