//! What the writer remembers between transactions: the next checkpoint, heads of streams, and the
//! clients' keys of their last blocks.

use std::collections::HashMap;

use ees_core::adapter::ClientKey;
use ees_core::adapter::group_commit::Snapshot;
use ees_core::{Changeset, ChangesetId, Checkpoint, EventId, Head, StorageError, StreamId};
use lru::LruCache;
use rusqlite::Connection;

use crate::client_keys::{self, FullBlock, RecentKey};
use crate::moved;
use crate::reads;
use crate::rows::{number, one};
use crate::state;

/// How many bytes the remembered streams may have.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// An estimate of what an entry has beside the stream id and the keys.
const ENTRY_BYTES: usize = 160;

/// An estimate of what a key has beside its text.
const KEY_BYTES: usize = 40;

const DATA_VERSION: &str = "PRAGMA data_version";

/// What was found in the file inside a transaction, or written by a transaction that succeeded.
#[derive(Debug)]
pub(crate) struct Known {
    /// SQLite's counter of the commits of other connections
    /// (<https://sqlite.org/pragma.html#pragma_data_version>). If it changes, all below is void.
    data_version: Option<i64>,
    /// Whether the store has a fence was read: it has none.
    is_open: bool,
    next_checkpoint: Option<Checkpoint>,
    streams: LruCache<StreamId, Stream>,
    bytes: usize,
    max_bytes: usize,
}

/// What is remembered of a stream.
#[derive(Debug, Clone)]
struct Stream {
    head: Head,
    /// The clients' keys of the last block. None: not read yet.
    recent: Option<Vec<RecentKey>>,
}

impl Default for Known {
    fn default() -> Self {
        Self::with_limit(MAX_BYTES)
    }
}

impl Known {
    /// Knows nothing yet, and will remember streams of so many bytes.
    fn with_limit(max_bytes: usize) -> Self {
        Self {
            data_version: None,
            is_open: false,
            next_checkpoint: None,
            streams: LruCache::unbounded(),
            bytes: 0,
            max_bytes,
        }
    }

    /// Answers what the judge of a batch needs. Reads what it does not know. A transaction must be
    /// open that keeps other writers out. A store with a fence takes no batch.
    pub(crate) fn snapshot(
        &mut self,
        connection: &Connection,
        streams: &[StreamId],
        client_keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError> {
        self.forget_if_changed(connection)?;
        self.check_open(connection)?;
        let next_checkpoint = match self.next_checkpoint {
            Some(next) => next,
            None => state::end(connection)?,
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
            if let Some(head) = heads.get(&key.stream_id)
                && let Some(stands) = self.key(connection, key, head)?
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

    /// The position after the last changeset.
    pub(crate) fn end(&self) -> Option<Checkpoint> {
        self.next_checkpoint
    }

    /// Another connection may have fenced the store. Anything else that it commits is against the rules,
    /// and noticed all the same.
    fn forget_if_changed(&mut self, connection: &Connection) -> Result<(), StorageError> {
        let found = one(connection, DATA_VERSION, [], |row| number(row, 0))?;
        if self.data_version != Some(found) {
            *self = Self::with_limit(self.max_bytes);
            self.data_version = Some(found);
        }
        Ok(())
    }

    /// Fails if the store has a fence.
    fn check_open(&mut self, connection: &Connection) -> Result<(), StorageError> {
        if !self.is_open
            && let Some(moved_to) = moved::load(connection)?
        {
            return Err(StorageError::Fenced { moved_to });
        }
        self.is_open = true;
        Ok(())
    }

    fn head(
        &mut self,
        connection: &Connection,
        stream_id: &StreamId,
    ) -> Result<Option<Head>, StorageError> {
        if let Some(stream) = self.streams.get(stream_id) {
            return Ok(Some(stream.head));
        }
        let found = reads::head(connection, stream_id)?;
        if let Some(head) = found {
            self.remember(stream_id, Stream { head, recent: None });
        }
        Ok(found)
    }

    /// The first changeset of a stream that has a client's key.
    fn key(
        &mut self,
        connection: &Connection,
        key: &ClientKey,
        head: &Head,
    ) -> Result<Option<ChangesetId>, StorageError> {
        if let Some(filed) = client_keys::filed(connection, key, head)? {
            return Ok(Some(filed));
        }
        let recent = match self.take_recent(&key.stream_id) {
            Some(recent) => recent,
            None => client_keys::recent(connection, &key.stream_id, head)?,
        };
        let mut keys = recent.iter();
        let found = keys.find(|recent| recent.commit_id == key.commit_id);
        let found = found.map(|recent| recent.changeset_id);
        let (head, recent) = (*head, Some(recent));
        self.remember(&key.stream_id, Stream { head, recent });
        Ok(found)
    }

    /// Follows a transaction that writes these changesets. Returns the blocks that it fills and that
    /// may have keys to file.
    pub(crate) fn advance(&mut self, changesets: &[Changeset]) -> Vec<FullBlock> {
        let mut full = Vec::new();
        for changeset in changesets {
            self.next_checkpoint = changeset.checkpoint.map(|position| position.plus(1));
            let mut recent = self.recent_with(changeset);
            if client_keys::fills_block(changeset.changeset_id) {
                let keys = recent.replace(Vec::new());
                if keys.as_ref().is_none_or(|keys| !keys.is_empty()) {
                    full.push(FullBlock {
                        stream_id: changeset.stream_id.clone(),
                        last: changeset.changeset_id,
                        keys,
                    });
                }
            }
            let head = changeset.head();
            self.remember(&changeset.stream_id, Stream { head, recent });
        }
        full
    }

    /// The keys of the last block, with that of a new changeset.
    fn recent_with(&mut self, changeset: &Changeset) -> Option<Vec<RecentKey>> {
        let known = self.take_recent(&changeset.stream_id);
        let is_first = changeset.first_event_id == EventId::FIRST;
        let mut recent = known.or_else(|| is_first.then(Vec::new))?;
        if changeset.commit_id.is_clients() {
            recent.push(RecentKey {
                commit_id: changeset.commit_id.clone(),
                changeset_id: changeset.changeset_id,
            });
        }
        Some(recent)
    }

    fn take_recent(&mut self, stream_id: &StreamId) -> Option<Vec<RecentKey>> {
        let recent = self.streams.get_mut(stream_id)?.recent.take()?;
        self.bytes -= weight_of_keys(&recent);
        Some(recent)
    }

    fn remember(&mut self, stream_id: &StreamId, stream: Stream) {
        self.bytes += weight(stream_id, &stream);
        if let Some(before) = self.streams.put(stream_id.clone(), stream) {
            self.bytes -= weight(stream_id, &before);
        }
        while self.bytes > self.max_bytes
            && let Some((stream_id, stream)) = self.streams.pop_lru()
        {
            self.bytes -= weight(&stream_id, &stream);
        }
    }
}

fn weight(stream_id: &StreamId, stream: &Stream) -> usize {
    let keys = stream.recent.as_deref().map_or(0, weight_of_keys);
    stream_id.as_str().len() + ENTRY_BYTES + keys
}

fn weight_of_keys(keys: &[RecentKey]) -> usize {
    keys.iter()
        .map(|key| key.commit_id.as_str().len() + KEY_BYTES)
        .sum()
}

#[cfg(test)]
mod tests;
