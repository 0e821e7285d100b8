//! A changeset with typed events.

use std::fmt::Write;

use ees_core::{
    Changeset, ChangesetId, Checkpoint, CommitId, Json, StreamId, Timestamp, UnreadableEvent,
};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::Upcasts;

/// A changeset of the store, with events of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<E> {
    /// Its stream.
    pub stream_id: StreamId,
    /// Its number in the stream: 1, 2, 3 ... without a gap.
    pub changeset_id: ChangesetId,
    /// Its position in the global order.
    pub checkpoint: Option<Checkpoint>,
    /// When it was committed.
    pub timestamp: Timestamp,
    /// Its metadata.
    pub metadata: Json,
    /// Its events, in today's form.
    pub events: Vec<E>,
}

impl<E: DeserializeOwned> Recorded<E> {
    /// Reads the events of a changeset.
    ///
    /// # Errors
    /// [`UnreadableEvent`]: the first event that cannot be read.
    pub fn read(changeset: &Changeset, upcasts: Upcasts) -> Result<Self, UnreadableEvent> {
        let events = upcasts.read_events(changeset);
        Ok(Self {
            stream_id: changeset.stream_id.clone(),
            changeset_id: changeset.changeset_id,
            checkpoint: changeset.checkpoint,
            timestamp: changeset.timestamp,
            metadata: changeset.metadata.clone(),
            events: events.collect::<Result<_, _>>()?,
        })
    }
}

impl<E> Recorded<E> {
    /// The id of a command that this changeset causes. The same changeset and the same purpose give the
    /// same id, so a command that is sent again is executed once.
    ///
    /// The purpose tells the commands apart that the changeset causes on one stream, and those of other
    /// readers of the changeset.
    pub fn command_id(&self, purpose: &str) -> String {
        let Self {
            stream_id,
            changeset_id,
            ..
        } = self;
        let is_simple = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let id = format!("{purpose}:{changeset_id}:{stream_id}");
        let fits = CommitId::new(&id).is_ok_and(|id| id.is_clients());
        if fits && purpose.bytes().all(is_simple) {
            return id;
        }
        let mut hash = Sha256::new();
        hash.update((purpose.len() as u64).to_be_bytes());
        hash.update(id);
        let mut short = "sha256:".to_owned();
        for byte in hash.finalize() {
            // Writing to a text cannot fail.
            let _ = write!(short, "{byte:02x}");
        }
        short
    }
}
