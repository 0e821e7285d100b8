//! A commit before its expectation is checked.

use crate::changeset::{Receipt, Slot};
use crate::concurrency::Refusal;
use crate::{
    Changeset, Checkpoint, CommitId, Events, Expectation, Json, SetMark, StreamId, Timestamp,
};

/// The largest number of changesets that a conflict lists.
pub const MAX_FORTHCOMING: usize = 100;

/// A commit as the caller requests it.
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
    /// The end of the stream that the caller has seen.
    pub expectation: Expectation,
    /// The events, in their order.
    pub events: Events,
    /// Metadata of the changeset; `{}` unless set.
    pub metadata: Json,
    /// The caller's idempotency key, which belongs to the stream for ever. A commit whose key stands
    /// in the stream stores nothing, whatever it expects. The store generates a key if there is none.
    pub idempotency_key: Option<CommitId>,
    /// The largest number of changesets that a conflict lists; [`MAX_FORTHCOMING`] unless set, and at
    /// most that. With 0 a conflict lists none.
    pub max_forthcoming: usize,
}

impl NewChangeset {
    /// A commit without metadata and without an idempotency key.
    pub fn new(stream_id: StreamId, expectation: Expectation, events: Events) -> Self {
        Self {
            stream_id,
            expectation,
            events,
            metadata: Json::default(),
            idempotency_key: None,
            max_forthcoming: MAX_FORTHCOMING,
        }
    }

    /// Sets the metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Json) -> Self {
        self.metadata = metadata;
        self
    }

    /// Sets the idempotency key, which makes the commit safe to repeat.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: CommitId) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    /// Sets the largest number of changesets that a conflict lists.
    #[must_use]
    pub fn with_max_forthcoming(mut self, most: usize) -> Self {
        self.max_forthcoming = most;
        self
    }
}

/// A commit as the storage port receives it: complete, and within the storage's size limit.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The stream to append to.
    pub stream_id: StreamId,
    /// The end that the stream must have for the commit to succeed.
    pub expectation: Expectation,
    /// The events, in their order.
    pub events: Events,
    /// The metadata.
    pub metadata: Json,
    /// The commit's identity, to be stored with the changeset.
    pub commit_id: CommitId,
    /// The commit's place in its set, to be stored with the changeset; `None` if it is committed alone.
    pub set: Option<SetMark>,
    /// The time to store with the changeset.
    pub timestamp: Timestamp,
}

/// An idempotency key of a client in its stream. No two changesets are stored with the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientKey {
    /// The stream.
    pub stream_id: StreamId,
    /// The key.
    pub commit_id: CommitId,
}

impl ClientKey {
    /// The key of a commit to a stream. `None` if the store generated its id.
    pub fn of(stream_id: &StreamId, commit_id: &CommitId) -> Option<Self> {
        commit_id.is_clients().then(|| Self {
            stream_id: stream_id.clone(),
            commit_id: commit_id.clone(),
        })
    }
}

impl Commit {
    /// The commit's key, if a client gave it. `None` if the store generated it.
    pub fn client_key(&self) -> Option<ClientKey> {
        ClientKey::of(&self.stream_id, &self.commit_id)
    }

    /// The size of events and metadata, in bytes, which a storage limits.
    pub fn payload_bytes(&self) -> usize {
        self.events.as_str().len() + self.metadata.as_str().len()
    }

    /// The changeset that the commit becomes in a slot of its stream. `checkpoint` is its position
    /// in the global order, where the storage orders at commit time.
    pub fn into_changeset(self, slot: Slot, checkpoint: Option<Checkpoint>) -> Changeset {
        Changeset {
            stream_id: self.stream_id,
            changeset_id: slot.changeset_id,
            first_event_id: slot.first_event_id,
            last_event_id: slot.last_event_id,
            timestamp: self.timestamp,
            commit_id: self.commit_id,
            set: self.set,
            events: self.events,
            metadata: self.metadata,
            checkpoint,
        }
    }
}

/// The outcome of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The changeset is stored.
    Committed(Receipt),
    /// Its key stands already, or its expectation does not hold; nothing was written.
    Refused(Refusal),
}
