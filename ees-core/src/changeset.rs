//! What is asked to be committed, and what was.

use crate::{
    ChangesetId, Checkpoint, CommitId, EventId, Events, Expectation, Json, StreamId, Timestamp,
};

/// A commit as a caller asks for it.
///
/// ```
/// use ees_core::{Events, Expectation, NewChangeset};
/// let events = Events::parse(r#"[{"type": "init"}]"#)?;
/// let asked = NewChangeset::new("order-17".parse()?, Expectation::NEW_STREAM, events);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct NewChangeset {
    /// The stream to append to.
    pub stream_id: StreamId,
    /// What the caller believes to be the end of the stream.
    pub expectation: Expectation,
    /// The events, in their order.
    pub events: Events,
    /// What the caller wants to say about all of them; `{}` if nothing.
    pub metadata: Json,
    /// The caller's idempotency key: a repeat of the commit with the same key answers as the first
    /// did. Without one the store makes one.
    pub idempotency_key: Option<CommitId>,
}

impl NewChangeset {
    /// Asks for a commit without metadata and without an idempotency key.
    pub fn new(stream_id: StreamId, expectation: Expectation, events: Events) -> Self {
        Self {
            stream_id,
            expectation,
            events,
            metadata: Json::default(),
            idempotency_key: None,
        }
    }

    /// Says something about the events.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Json) -> Self {
        self.metadata = metadata;
        self
    }

    /// Makes the commit safe to repeat.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: CommitId) -> Self {
        self.idempotency_key = Some(key);
        self
    }
}

/// A commit as the storage port gets it: complete, and within the storage's size limit.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The stream to append to.
    pub stream_id: StreamId,
    /// What must be the end of the stream for the commit to succeed.
    pub expectation: Expectation,
    /// The events, in their order.
    pub events: Events,
    /// The metadata.
    pub metadata: Json,
    /// The commit's identity, to be stored with the changeset.
    pub commit_id: CommitId,
    /// The time to store with the changeset.
    pub timestamp: Timestamp,
}

impl Commit {
    /// The bytes of payload: what a storage's size limit counts.
    pub fn payload_bytes(&self) -> usize {
        payload_bytes(&self.events, &self.metadata)
    }
}

fn payload_bytes(events: &Events, metadata: &Json) -> usize {
    events.as_str().len() + metadata.as_str().len()
}

/// A changeset as it stands in the store, for ever.
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
    /// The idempotency key it was committed with, or the one the store made.
    pub commit_id: CommitId,
    /// Its events.
    pub events: Events,
    /// Its metadata.
    pub metadata: Json,
    /// Its position in the global order; `None` while a storage that orders after the commit has
    /// not given one yet.
    pub checkpoint: Option<Checkpoint>,
}

impl Changeset {
    /// The changeset that a commit becomes at the place it was given.
    pub fn new(commit: &Commit, slot: Slot, checkpoint: Option<Checkpoint>) -> Self {
        Self {
            stream_id: commit.stream_id.clone(),
            changeset_id: slot.changeset_id,
            first_event_id: slot.first_event_id,
            last_event_id: slot.last_event_id,
            timestamp: commit.timestamp,
            commit_id: commit.commit_id.clone(),
            events: commit.events.clone(),
            metadata: commit.metadata.clone(),
            checkpoint,
        }
    }

    /// The bytes of payload.
    pub fn payload_bytes(&self) -> usize {
        payload_bytes(&self.events, &self.metadata)
    }

    /// What the changeset makes of its stream's end.
    pub fn head(&self) -> Head {
        Head {
            last_changeset: self.changeset_id,
            last_event: self.last_event_id,
            last_timestamp: self.timestamp,
        }
    }

    /// What its committer is told.
    pub fn receipt(&self) -> Receipt {
        Receipt {
            stream_id: self.stream_id.clone(),
            changeset_id: self.changeset_id,
            first_event_id: self.first_event_id,
            last_event_id: self.last_event_id,
            timestamp: self.timestamp,
            checkpoint: self.checkpoint,
        }
    }
}

/// The place in its stream that a commit gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The changeset's number.
    pub changeset_id: ChangesetId,
    /// The number of its first event.
    pub first_event_id: EventId,
    /// The number of its last event.
    pub last_event_id: EventId,
}

/// The end of a stream that holds something.
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
    /// Its position in the global order, where it has one already.
    pub checkpoint: Option<Checkpoint>,
}

/// One event as it stands in its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in the stream.
    pub event_id: EventId,
    /// The event itself.
    pub data: Json,
    /// Its changeset's number in the stream.
    pub changeset_id: ChangesetId,
    /// Its place among the changeset's events, from 0.
    pub index: u64,
    /// When its changeset was committed.
    pub timestamp: Timestamp,
}
