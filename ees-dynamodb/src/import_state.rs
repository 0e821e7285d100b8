//! What a process knows of an import: whether one is under way, and where the order ends.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ees_core::{Checkpoint, StorageError, Written};

use crate::stored_state::StoredState;

/// The last look of a process at the index state.
#[derive(Debug, Default)]
pub(crate) struct ImportState(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    rev: u64,
    bound: Option<Checkpoint>,
}

impl ImportState {
    /// Learns from a state that was read or written. An older one than the last tells nothing.
    pub(crate) fn learn(&self, found: &StoredState) {
        let mut seen = self.seen();
        if found.state.rev >= seen.rev {
            *seen = Seen {
                rev: found.state.rev,
                bound: found.importing.then_some(found.state.base),
            };
        }
    }

    /// While an import is under way: the end of the order. What the index holds from there on belongs to
    /// a page that is just being written.
    pub(crate) fn bound(&self) -> Option<Checkpoint> {
        self.seen().bound
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of what does not happen while an import is under way.
pub(crate) fn under_way(what: &str) -> StorageError {
    let reason = format!(
        "an import is under way, and until it is finished the store {what}. An import that was given up \
         is ended by `ees import --abandon`"
    );
    StorageError::unavailable(reason, Written::None)
}
