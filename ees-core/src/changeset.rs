//! Changesets and their events, as the store holds them.

use crate::{
    ChangesetId, Checkpoint, CommitId, EventId, Events, Json, SetMark, StreamId, Timestamp,
};

/// A changeset in the store. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Changeset {
    /// Its stream.
    pub stream_id: StreamId,
    /// Its number in the stream.
    pub changeset_id: ChangesetId,
    /// The number of its first event in the stream.
    pub first_event_id: EventId,
    /// The number of its last event in the stream.
    pub last_event_id: EventId,
    /// When it was committed. Times of different streams need not follow the global order.
    pub timestamp: Timestamp,
    /// The idempotency key of its commit, or the id that the store generated.
    pub commit_id: CommitId,
    /// Its place in the set of commits in which it was stored; `None` if it was committed alone.
    pub set: Option<SetMark>,
    /// Its events.
    pub events: Events,
    /// Its metadata.
    pub metadata: Json,
    /// Its position in the global order; `None` if the storage orders after the commit and has not
    /// assigned it yet.
    pub checkpoint: Option<Checkpoint>,
}

impl Changeset {
    /// The size of events and metadata, in bytes.
    pub fn payload_bytes(&self) -> usize {
        self.events.as_str().len() + self.metadata.as_str().len()
    }

    /// The events with their ids. The iterator locates each event in the text when it reaches it.
    pub fn each_event(&self) -> impl Iterator<Item = Event> {
        (0..)
            .zip(self.events.iter())
            .map_while(|(index, data)| self.event(index, data))
    }

    /// An event by its index and its text.
    pub(crate) fn event(&self, index: u64, data: &str) -> Option<Event> {
        Some(Event {
            event_id: EventId::new(self.first_event_id.get() + index).ok()?,
            data: Json::trusted(data),
            changeset_id: self.changeset_id,
            index,
            timestamp: self.timestamp,
            metadata: self.metadata.clone(),
        })
    }

    /// The end of the stream after this changeset.
    pub fn head(&self) -> Head {
        Head {
            last_changeset: self.changeset_id,
            last_event: self.last_event_id,
            last_timestamp: self.timestamp,
        }
    }

    /// The answer to the commit of this changeset.
    pub fn receipt(&self) -> Receipt {
        Receipt {
            stream_id: self.stream_id.clone(),
            changeset_id: self.changeset_id,
            first_event_id: self.first_event_id,
            last_event_id: self.last_event_id,
            timestamp: self.timestamp,
            checkpoint: self.checkpoint,
            replayed: false,
        }
    }
}

/// The ids that a commit gets in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The changeset's number.
    pub changeset_id: ChangesetId,
    /// The number of its first event.
    pub first_event_id: EventId,
    /// The number of its last event.
    pub last_event_id: EventId,
}

/// The end of a stream with at least one changeset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of its last changeset.
    pub last_changeset: ChangesetId,
    /// The number of its last event.
    pub last_event: EventId,
    /// When its last changeset was committed.
    pub last_timestamp: Timestamp,
}

/// The answer to a commit that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The stream.
    pub stream_id: StreamId,
    /// The changeset's number in the stream.
    pub changeset_id: ChangesetId,
    /// The number of its first event.
    pub first_event_id: EventId,
    /// The number of its last event.
    pub last_event_id: EventId,
    /// When it was committed.
    pub timestamp: Timestamp,
    /// Its position in the global order; `None` on a storage that orders after the commit.
    pub checkpoint: Option<Checkpoint>,
    /// Whether the changeset stood before this call, or before a retry inside it: the commit was
    /// recognised by its idempotency key, and nothing was written.
    pub replayed: bool,
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in the stream.
    pub event_id: EventId,
    /// The event itself.
    pub data: Json,
    /// Its changeset's number in the stream.
    pub changeset_id: ChangesetId,
    /// Its index in the changeset, from 0.
    pub index: u64,
    /// When its changeset was committed.
    pub timestamp: Timestamp,
    /// The metadata of its changeset.
    pub metadata: Json,
}
