//! Writing the positions of an intent's members.

use std::collections::{BTreeMap, VecDeque};

use crate::ports::{ChangesetKey, PositionWrite};
use crate::{Checkpoint, StreamId};

use super::{Corruption, Request};

/// The positions still to write: one after another for each stream, concurrently for different
/// streams.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Writes {
    streams: BTreeMap<StreamId, VecDeque<(ChangesetKey, Checkpoint)>>,
}

impl FromIterator<(ChangesetKey, Checkpoint)> for Writes {
    /// Queues each position after the earlier ones of its stream.
    fn from_iter<I: IntoIterator<Item = (ChangesetKey, Checkpoint)>>(positions: I) -> Self {
        let mut writes = Self::default();
        for (key, position) in positions {
            let stream = writes.streams.entry(key.stream_id.clone()).or_default();
            stream.push_back((key, position));
        }
        writes
    }
}

impl Writes {
    /// Whether all are written.
    pub(super) fn is_done(&self) -> bool {
        self.streams.is_empty()
    }

    /// The initial writes: the first of each stream.
    pub(super) fn first(&self) -> Vec<Request> {
        let first = self.streams.values().filter_map(VecDeque::front);
        first.cloned().map(write).collect()
    }

    /// Takes in the outcome of a write. Returns the next write of the same stream, if there is one.
    pub(super) fn answer(
        &mut self,
        key: &ChangesetKey,
        outcome: PositionWrite,
    ) -> Result<Option<Request>, Corruption> {
        let stream = self.streams.get_mut(&key.stream_id);
        let stream = stream.ok_or(Corruption::Unasked)?;
        let (asked, reserved) = stream.pop_front().ok_or(Corruption::Unasked)?;
        if asked != *key {
            return Err(Corruption::Unasked);
        }
        match outcome {
            PositionWrite::Written | PositionWrite::AlreadyThere => {}
            PositionWrite::Other(found) => Corruption::check(key, reserved, Some(found))?,
            PositionWrite::Missing => {
                let key = key.clone();
                return Err(Corruption::Gone { key, reserved });
            }
        }
        let next = stream.front().cloned().map(write);
        if next.is_none() {
            self.streams.remove(&key.stream_id);
        }
        Ok(next)
    }
}

fn write((key, position): (ChangesetKey, Checkpoint)) -> Request {
    Request::Write { key, position }
}
