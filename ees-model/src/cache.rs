//! Finds the snapshot of a stream, and decides when to take one.

use std::fmt;
use std::sync::Arc;

use ees_core::StreamId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::loaded::Folding;
use crate::{Decider, Snapshot, Snapshots};

/// The snapshots of a decider, if it has a place for them.
pub(crate) struct Cache<D> {
    place: Arc<dyn Snapshots>,
    /// A snapshot is taken after so many changesets.
    every: u64,
    write: fn(&D) -> serde_json::Result<String>,
    read: fn(&str) -> serde_json::Result<D>,
}

impl<D: Decider + Serialize + DeserializeOwned> Cache<D> {
    pub(crate) fn new(place: Arc<dyn Snapshots>, every: u64) -> Self {
        Self {
            place,
            every: every.max(1),
            write: serde_json::to_string,
            read: |state| serde_json::from_str(state),
        }
    }
}

impl<D: Decider> Cache<D> {
    /// The snapshot of a stream and its state, if it is of this version and can be read.
    pub(crate) async fn find(&self, stream: &StreamId) -> Option<(Snapshot, D)> {
        let found = match self.place.load(stream).await {
            Ok(found) => found?,
            Err(error) => {
                tracing::warn!(%stream, error, "a snapshot could not be loaded");
                return None;
            }
        };
        if found.version != D::VERSION {
            return None;
        }
        match (self.read)(&found.state) {
            Ok(state) => Some((found, state)),
            Err(error) => {
                tracing::warn!(%stream, %error, "a snapshot could not be read");
                None
            }
        }
    }

    /// Takes a snapshot, if enough was applied since the last one.
    pub(crate) async fn keep(&self, stream: &StreamId, folding: &mut Folding<D>) {
        if folding.applied < self.every {
            return;
        }
        let Some((commit_id, timestamp)) = &folding.last else {
            return;
        };
        let state = match (self.write)(&folding.at.state) {
            Ok(state) => state,
            Err(error) => {
                tracing::warn!(%stream, %error, "a snapshot could not be written");
                return;
            }
        };
        let snapshot = Snapshot {
            version: D::VERSION,
            changeset: folding.at.last_changeset,
            commit_id: commit_id.clone(),
            timestamp: *timestamp,
            state,
        };
        match self.place.save(stream, snapshot).await {
            Ok(()) => folding.applied = 0,
            Err(error) => tracing::warn!(%stream, error, "a snapshot could not be saved"),
        }
    }
}

impl<D> Clone for Cache<D> {
    fn clone(&self) -> Self {
        Self {
            place: Arc::clone(&self.place),
            ..*self
        }
    }
}

impl<D> fmt::Debug for Cache<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}
