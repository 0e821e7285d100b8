//! The counts of the whole store.

use crate::{Changeset, Checkpoint, GlobalPage};

/// Exact counts of all changesets below a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Every changeset below this checkpoint is counted, none from it on.
    pub version: Checkpoint,
    /// The number of streams with a changeset.
    pub total_streams: u64,
    /// Changesets.
    pub total_changesets: u64,
    /// Events.
    pub total_events: u64,
    /// The length of the longest stream, in changesets.
    pub max_stream_length: u64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            version: Checkpoint::FIRST,
            total_streams: 0,
            total_changesets: 0,
            total_events: 0,
            max_stream_length: 0,
        }
    }
}

impl Statistics {
    /// The counts with the page that follows [`Statistics::version`] added.
    ///
    /// A stream's changesets come in order (G7), so its first changeset marks a new stream, and the
    /// highest changeset id is the greatest length.
    #[must_use]
    pub fn after(self, page: &GlobalPage) -> Self {
        let counted = page.changesets.iter().fold(self, Self::counting);
        Self {
            version: page.next,
            ..counted
        }
    }

    /// The counts with the next changeset of the order added, still with the same version.
    #[must_use]
    pub fn counting(self, changeset: &Changeset) -> Self {
        Self {
            total_streams: self.total_streams + u64::from(changeset.changeset_id.get() == 1),
            total_changesets: self.total_changesets + 1,
            total_events: self.total_events + changeset.events.count(),
            max_stream_length: self.max_stream_length.max(changeset.changeset_id.get()),
            ..self
        }
    }
}
