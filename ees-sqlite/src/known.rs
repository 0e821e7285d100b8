//! What the writer remembers between transactions: the next checkpoint and heads of streams.

use std::collections::HashMap;

use ees_core::adapter::ClientKey;
use ees_core::adapter::group_commit::Snapshot;
use ees_core::{Changeset, Checkpoint, Head, StorageError, StreamId};
use lru::LruCache;
use rusqlite::Connection;

use crate::reads;
use crate::rows::{number, one};

/// How many bytes the remembered heads may have.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// An estimate of what an entry has beside the stream id.
const ENTRY_BYTES: usize = 128;

const DATA_VERSION: &str = "PRAGMA data_version";

/// What was found in the file inside a transaction, or written by a transaction that succeeded.
#[derive(Debug)]
pub(crate) struct Known {
    /// SQLite's counter of the commits of other connections
    /// (<https://sqlite.org/pragma.html#pragma_data_version>). If it changes, all below is void.
    data_version: Option<i64>,
    next_checkpoint: Option<Checkpoint>,
    heads: LruCache<StreamId, Head>,
    bytes: usize,
    max_bytes: usize,
}

impl Default for Known {
    fn default() -> Self {
        Self::with_limit(MAX_BYTES)
    }
}

impl Known {
    /// Knows nothing yet, and will remember heads of so many bytes.
    fn with_limit(max_bytes: usize) -> Self {
        Self {
            data_version: None,
            next_checkpoint: None,
            heads: LruCache::unbounded(),
            bytes: 0,
            max_bytes,
        }
    }

    /// Answers what the judge of a batch needs. Reads what it does not know. A transaction must be
    /// open that keeps other writers out.
    pub(crate) fn snapshot(
        &mut self,
        connection: &Connection,
        streams: &[StreamId],
        client_keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError> {
        self.forget_if_changed(connection)?;
        let next_checkpoint = match self.next_checkpoint {
            Some(next) => next,
            None => reads::next_checkpoint(connection)?,
        };
        self.next_checkpoint = Some(next_checkpoint);
        let mut heads = HashMap::with_capacity(streams.len());
        for stream_id in streams {
            if let Some(head) = self.head(connection, stream_id)? {
                heads.insert(stream_id.clone(), head);
            }
        }
        let mut keys = HashMap::with_capacity(client_keys.len());
        for key in client_keys {
            // A stream without a changeset has no key.
            if heads.contains_key(&key.stream_id)
                && let Some(stands) = reads::key(connection, key)?
            {
                keys.insert(key.clone(), stands);
            }
        }
        Ok(Snapshot {
            heads,
            keys,
            next_checkpoint,
        })
    }

    /// Another connection that commits is against the rules. It is noticed all the same.
    fn forget_if_changed(&mut self, connection: &Connection) -> Result<(), StorageError> {
        let found = one(connection, DATA_VERSION, [], |row| number(row, 0))?;
        if self.data_version != Some(found) {
            *self = Self::with_limit(self.max_bytes);
            self.data_version = Some(found);
        }
        Ok(())
    }

    fn head(
        &mut self,
        connection: &Connection,
        stream_id: &StreamId,
    ) -> Result<Option<Head>, StorageError> {
        if let Some(head) = self.heads.get(stream_id) {
            return Ok(Some(*head));
        }
        let found = reads::head(connection, stream_id)?;
        if let Some(head) = found {
            self.remember(stream_id.clone(), head);
        }
        Ok(found)
    }

    /// Follows a transaction that wrote these changesets and succeeded.
    pub(crate) fn advance(&mut self, changesets: &[Changeset]) {
        for changeset in changesets {
            self.next_checkpoint = changeset.checkpoint.map(|position| position.plus(1));
            self.remember(changeset.stream_id.clone(), changeset.head());
        }
    }

    fn remember(&mut self, stream_id: StreamId, head: Head) {
        let bytes = weight(&stream_id);
        if self.heads.put(stream_id, head).is_none() {
            self.bytes += bytes;
        }
        while self.bytes > self.max_bytes
            && let Some((stream_id, _)) = self.heads.pop_lru()
        {
            self.bytes -= weight(&stream_id);
        }
    }
}

fn weight(stream_id: &StreamId) -> usize {
    stream_id.as_str().len() + ENTRY_BYTES
}

#[cfg(test)]
mod tests;
