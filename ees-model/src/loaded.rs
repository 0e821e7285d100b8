//! A state, and where its stream was when it was read.

use ees_core::{Changeset, CommitId, Expectation, Receipt, SetMark, Timestamp, UnreadableEvent};

use crate::{Decider, Snapshot};

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

/// The changeset that a command was stored as before this call.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) receipt: Receipt,
    /// Its place in its set. A client of a server does not know it.
    pub(crate) set: Option<SetMark>,
}

impl From<&Changeset> for Found {
    fn from(changeset: &Changeset) -> Self {
        let receipt = Receipt {
            replayed: true,
            ..changeset.receipt()
        };
        Self {
            receipt,
            set: changeset.set,
        }
    }
}

/// A state while a command is executed on it.
pub(crate) struct Folding<D> {
    pub(crate) at: Loaded<D>,
    /// The commit id and the time of the last changeset that the state contains.
    pub(crate) last: Option<(CommitId, Timestamp)>,
    /// How many changesets were applied since the last snapshot.
    pub(crate) applied: u64,
    /// The command's id, to be recognised.
    key: Option<CommitId>,
    /// The changeset that has the id.
    pub(crate) done: Option<Found>,
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
            last: None,
            applied: 0,
            key,
            done: None,
        }
    }

    /// The state of a snapshot.
    pub(crate) fn resumed(snapshot: &Snapshot, state: D, key: Option<CommitId>) -> Self {
        let at = Loaded {
            state,
            last_changeset: snapshot.changeset,
        };
        Self {
            at,
            last: Some((snapshot.commit_id.clone(), snapshot.timestamp)),
            ..Self::new(key)
        }
    }

    /// Applies changesets, oldest first. Passes over those that the state contains, and stops before a
    /// gap.
    pub(crate) fn fold(&mut self, changesets: &[Changeset]) -> Result<(), UnreadableEvent> {
        for changeset in changesets {
            let id = changeset.changeset_id.get();
            if id > self.at.last_changeset + 1 {
                break;
            }
            if self.key.as_ref() == Some(&changeset.commit_id) {
                self.done = Some(Found::from(changeset));
            }
            if id <= self.at.last_changeset {
                continue;
            }
            for event in D::UPCASTS.read_events(changeset) {
                self.at.state.evolve(&event?);
            }
            self.moved(id, changeset.commit_id.clone(), changeset.timestamp);
        }
        Ok(())
    }

    /// Applies the events of the command itself, if they are stored directly after the state.
    pub(crate) fn apply(&mut self, events: &[D::Event], key: &CommitId, receipt: &Receipt) {
        let id = receipt.changeset_id.get();
        if id == self.at.last_changeset + 1 {
            for event in events {
                self.at.state.evolve(event);
            }
            self.moved(id, key.clone(), receipt.timestamp);
        }
    }

    /// Makes a snapshot due, in place of one that does not fit.
    pub(crate) fn replace_snapshot(&mut self) {
        self.applied = u64::MAX;
    }

    fn moved(&mut self, id: u64, commit_id: CommitId, timestamp: Timestamp) {
        self.at.last_changeset = id;
        self.last = Some((commit_id, timestamp));
        self.applied = self.applied.saturating_add(1);
    }
}
