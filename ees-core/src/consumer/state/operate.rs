//! What operators do: retry, skip, reset.

use super::{MAX_PARKED_CHANGES, Parked, PartitionState, following};
use crate::{ChangesetId, Checkpoint, StreamId, Timestamp};

/// An operator's call that has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The stream is not parked, and the partition has not stopped at it.
    NotParked,
    /// The changeset is handled already.
    Handled,
    /// The partition has not come to the changeset yet.
    NotPassed,
}

impl PartitionState {
    /// The entry of a stream that is parked, or at which the partition has stopped.
    pub fn waiting(&self, stream_id: &StreamId) -> Option<&Parked> {
        let stopped = self.stopped.as_ref();
        let stopped = stopped.filter(|stopped| stopped.stream_id == *stream_id);
        self.parked.get(stream_id).or(stopped)
    }

    /// Tries a stream at once. A batch that is out stays out.
    ///
    /// # Errors
    /// [`Refused::NotParked`]
    pub fn retry(&mut self, stream_id: &StreamId, now: Timestamp) -> Result<Parked, Refused> {
        let stopped = self.stopped.as_mut();
        let stopped = stopped.filter(|stopped| stopped.stream_id == *stream_id);
        let parked = self.parked.get_mut(stream_id).or(stopped);
        let parked = parked.ok_or(Refused::NotParked)?;
        parked.next_try = Some(now);
        Ok(parked.clone())
    }

    /// Skips the changesets of a stream up to this one, whose position is given. The batch that is
    /// out ends. Returns the entry as it was.
    ///
    /// # Errors
    /// [`Refused`]; the state is unchanged.
    pub fn skip(
        &mut self,
        stream_id: &StreamId,
        through: ChangesetId,
        position: Checkpoint,
        now: Timestamp,
    ) -> Result<Parked, Refused> {
        let entry = self.waiting(stream_id).ok_or(Refused::NotParked)?.clone();
        if through < entry.from_changeset {
            return Err(Refused::Handled);
        }
        match self.parked.get_mut(stream_id) {
            Some(_) if position >= self.checkpoint => return Err(Refused::NotPassed),
            Some(parked) => parked.go_on(following(through), position.plus(1), now),
            None if through != entry.from_changeset => return Err(Refused::NotPassed),
            None => {
                self.checkpoint = entry.position.plus(1);
                self.stopped = None;
            }
        }
        self.batch = None;
        Ok(entry)
    }

    /// Moves the partition to a checkpoint. The batch that is out ends. Parked streams that begin
    /// there or later are dropped, as they will be read again; call
    /// [`PartitionState::drop_unreached`] until it returns `false`.
    pub fn reset(&mut self, checkpoint: Checkpoint) {
        self.batch = None;
        self.stopped = None;
        self.retries = 0;
        self.checkpoint = checkpoint;
        self.drop_unreached();
    }

    /// Drops some of the parked streams that begin at or after the checkpoint: nothing of them was
    /// passed by. Returns whether there were any.
    pub fn drop_unreached(&mut self) -> bool {
        let unreached = self.parked.values();
        let unreached = unreached.filter(|parked| parked.position >= self.checkpoint);
        let streams = unreached.map(|parked| parked.stream_id.clone());
        let streams: Vec<_> = streams.take(MAX_PARKED_CHANGES).collect();
        for stream_id in &streams {
            self.remove(stream_id);
        }
        if !streams.is_empty() {
            self.batch = None;
        }
        !streams.is_empty()
    }
}
