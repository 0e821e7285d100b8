//! What the store answers.

use ees_core::{
    ChangesetId, Checkpoint, CommitId, EventCheckpoint, EventId, Events, Json, StreamId, Timestamp,
};
use serde::de::DeserializeOwned;

/// A changeset of the store. The options at the end are known if the read asked for details.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changeset {
    /// Its stream.
    pub stream_id: StreamId,
    /// Its number in the stream.
    pub changeset_id: ChangesetId,
    /// Its events.
    pub events: Events,
    /// Its metadata.
    pub metadata: Json,
    /// Its position in the global order. A read of one stream tells it with details only. A storage
    /// that orders after the commit may not have assigned it yet.
    pub checkpoint: Option<Checkpoint>,
    /// When it was committed.
    pub timestamp: Option<Timestamp>,
    /// The number of its first event in the stream. A conflict tells it without details too.
    pub first_event_id: Option<EventId>,
    /// The number of its last event in the stream. A conflict tells it without details too.
    pub last_event_id: Option<EventId>,
    /// The idempotency key of its commit.
    pub idempotency_key: Option<CommitId>,
}

impl Changeset {
    /// Reads the events one by one, each as a `T`.
    ///
    /// # Errors
    /// An item is [`serde_json::Error`] if the event cannot be read as a `T`. The items after it are
    /// not affected.
    pub fn read_events<T: DeserializeOwned>(
        &self,
    ) -> impl Iterator<Item = Result<T, serde_json::Error>> {
        self.events.iter().map(serde_json::from_str)
    }
}

/// One event of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Its stream.
    pub stream_id: StreamId,
    /// Its number in the stream.
    pub event_id: EventId,
    /// The event itself.
    pub data: Json,
    /// Its changeset's number in the stream. A read of one stream tells it with details only.
    pub changeset_id: Option<ChangesetId>,
    /// Its position in the global order. A read of one stream does not tell it.
    pub checkpoint: Option<EventCheckpoint>,
    /// The metadata of its changeset, if the read asked for details.
    pub metadata: Option<Json>,
    /// When its changeset was committed, if the read asked for details.
    pub timestamp: Option<Timestamp>,
}

/// A commit that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// The stream.
    pub stream_id: StreamId,
    /// The changeset's number in the stream.
    pub changeset_id: ChangesetId,
    /// The key of the commit: the one that was given, or the one that the client made.
    pub idempotency_key: CommitId,
    /// Whether an earlier try, or another process with the same key, had stored the changeset.
    pub replayed: bool,
    /// Its position in the global order; `None` on a storage that orders after the commit.
    pub checkpoint: Option<Checkpoint>,
    /// When it was committed.
    pub timestamp: Option<Timestamp>,
    /// The number of its first event in the stream.
    pub first_event_id: Option<EventId>,
    /// The number of its last event in the stream.
    pub last_event_id: Option<EventId>,
}

/// A set of commits that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommittedSet {
    /// The commits, in the order of the call.
    pub commits: Vec<Committed>,
    /// The key of the set.
    pub idempotency_key: CommitId,
    /// Whether an earlier try, or another process with the same key, had stored the set.
    pub replayed: bool,
}

/// A stream that is not as a commit or a check expected it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The stream.
    pub stream_id: StreamId,
    /// Its last changeset; 0 if it does not exist.
    pub last_changeset: u64,
    /// Its last event; 0 if it does not exist.
    pub last_event: u64,
    /// The changesets after the expected one, oldest first: all, or the first of them.
    pub forthcoming: Vec<Changeset>,
    /// If more were missed: the first changeset that [`Conflict::forthcoming`] does not have.
    pub next: Option<u64>,
}
