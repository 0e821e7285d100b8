//! The ends of streams that a session has written. They hold as long as nobody else writes, so a batch
//! need not read them again.

use std::collections::HashMap;

use ees_core::{Changeset, Checkpoint, Head, StreamId};

/// The most streams that are remembered.
const MAX_STREAMS: usize = 10_000;

/// The ends of streams, and where the global order ended when they were written.
///
/// Every writer takes the store's lock, and gives its changesets the next checkpoints. If the order still
/// ends where this session's last transaction left it, nobody has written since.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Where the order ended; `None` if nothing was written yet.
    next: Option<Checkpoint>,
    heads: HashMap<StreamId, Head>,
}

impl Ends {
    /// The ends of streams in a transaction that holds the lock and has read where the order ends; `None` if
    /// they have to be read.
    pub(super) fn at(
        &self,
        next: Checkpoint,
        streams: &[StreamId],
    ) -> Option<HashMap<StreamId, Head>> {
        if self.next != Some(next) {
            return None;
        }
        let end = |stream: &StreamId| Some((stream.clone(), *self.heads.get(stream)?));
        streams.iter().map(end).collect()
    }

    /// A transaction of this session was committed.
    pub(super) fn wrote(&mut self, changesets: &[Changeset]) {
        let first = changesets.first().and_then(|first| first.checkpoint);
        if first != self.next || self.heads.len() > MAX_STREAMS {
            self.heads.clear();
        }
        for changeset in changesets {
            let head = Head {
                last_changeset: changeset.changeset_id,
                last_event: changeset.last_event_id,
                last_timestamp: changeset.timestamp,
            };
            self.heads.insert(changeset.stream_id.clone(), head);
            self.next = changeset.checkpoint.map(|written| written.plus(1));
        }
    }
}
