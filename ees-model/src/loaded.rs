//! A state, and where its stream was when it was read.

use ees_core::{Changeset, CommitId, Expectation, Receipt, UnreadableEvent};

use crate::Decider;

/// The state of a stream after a changeset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded<D> {
    /// The state.
    pub state: D,
    /// The last changeset that the state contains; 0 if the stream does not exist.
    pub last_changeset: u64,
}

impl<D> Loaded<D> {
    /// The expectation of a commit that is based on this state.
    pub fn expectation(&self) -> Expectation {
        Expectation::LastChangeset(self.last_changeset)
    }
}

/// A state while a command is executed on it.
pub(crate) struct Folding<D> {
    pub(crate) at: Loaded<D>,
    /// The command's id, to be recognised.
    key: Option<CommitId>,
    /// The receipt of the changeset that has the id.
    pub(crate) done: Option<Receipt>,
}

impl<D: Decider> Folding<D> {
    /// The state before the first changeset.
    pub(crate) fn new(key: Option<CommitId>) -> Self {
        let at = Loaded {
            state: D::default(),
            last_changeset: 0,
        };
        Self {
            at,
            key,
            done: None,
        }
    }

    /// Applies changesets, oldest first. Passes over those that the state contains, and stops before a
    /// gap.
    pub(crate) fn fold(&mut self, changesets: &[Changeset]) -> Result<(), UnreadableEvent> {
        for changeset in changesets {
            let id = changeset.changeset_id.get();
            if id <= self.at.last_changeset {
                continue;
            }
            if id > self.at.last_changeset + 1 {
                break;
            }
            for event in changeset.read_events() {
                self.at.state.evolve(&event?);
            }
            self.at.last_changeset = id;
            if self.key.as_ref() == Some(&changeset.commit_id) {
                self.done = Some(found(changeset));
            }
        }
        Ok(())
    }

    /// Applies the events of the command itself, once they are stored directly after the state.
    pub(crate) fn apply(&mut self, events: &[D::Event], receipt: &Receipt) {
        let id = receipt.changeset_id.get();
        if id == self.at.last_changeset + 1 {
            for event in events {
                self.at.state.evolve(event);
            }
            self.at.last_changeset = id;
        }
    }
}

/// The receipt of a changeset that stood before this call.
pub(crate) fn found(changeset: &Changeset) -> Receipt {
    Receipt {
        replayed: true,
        ..changeset.receipt()
    }
}
