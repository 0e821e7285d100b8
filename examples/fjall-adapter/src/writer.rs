//! Batches of commits. Fjall's batches only write, so the loop's order stands for a transaction.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchStore, Snapshot};
use ees_core::adapter::{ClientKey, Commit, News};
use ees_core::{Changeset, ChangesetId, Head, StorageError, StreamId};
use fjall::{Guard, Readable};

use crate::database::{Handle, Store};
use crate::error::{corrupt, translate, translate_write};
use crate::{keys, rows};

pub(crate) struct Writer {
    pub(crate) handle: Handle,
    pub(crate) news: Arc<News>,
}

#[async_trait]
impl BatchStore for Writer {
    async fn await_turn(&mut self, _first: &Commit) -> Result<(), StorageError> {
        Ok(())
    }

    async fn begin(
        &mut self,
        streams: &[StreamId],
        keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError> {
        let (streams, keys) = (streams.to_vec(), keys.to_vec());
        self.handle
            .run(|store| snapshot(store, streams, keys))
            .await
    }

    async fn commit(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        let changesets = changesets.to_vec();
        self.handle
            .run(move |store| write(store, &changesets))
            .await?;
        self.news.announce();
        Ok(())
    }

    async fn rollback(&mut self) {}
}

fn snapshot(
    store: &Store,
    streams: Vec<StreamId>,
    client_keys: Vec<ClientKey>,
) -> Result<Snapshot, StorageError> {
    let at = store.database.snapshot();
    let mut heads = HashMap::new();
    for stream in streams {
        if let Some(head) = head(store, &at, stream.as_str())? {
            heads.insert(stream, head);
        }
    }
    let mut keys = HashMap::new();
    for key in client_keys {
        let entry = keys::client_key(key.stream_id.as_str(), key.commit_id.as_str());
        if let Some(stands) = at.get(&store.by_key, entry).map_err(translate)? {
            let stands = ChangesetId::new(rows::number(&stands)?);
            keys.insert(key, stands.map_err(|error| corrupt(&error))?);
        }
    }
    let next_checkpoint = store.next_checkpoint(&at)?;
    Ok(Snapshot {
        heads,
        keys,
        next_checkpoint,
    })
}

/// The head of a stream: its last changeset's.
pub(crate) fn head(
    store: &Store,
    at: &fjall::Snapshot,
    stream: &str,
) -> Result<Option<Head>, StorageError> {
    let last = at
        .prefix(&store.by_changeset, keys::prefix(stream))
        .next_back();
    let Some((_, checkpoint)) = last.map(Guard::into_inner).transpose().map_err(translate)? else {
        return Ok(None);
    };
    let row = store.row(at, &checkpoint)?;
    Ok(Some(rows::decode(&checkpoint, &row)?.head()))
}

fn write(store: &Store, changesets: &[Changeset]) -> Result<(), StorageError> {
    let mut batch = store.batch();
    for changeset in changesets {
        let checkpoint = changeset
            .checkpoint
            .ok_or_else(|| corrupt(&"no checkpoint"))?;
        let checkpoint = checkpoint.get().to_be_bytes();
        let stream = changeset.stream_id.as_str();
        let by_id = keys::key(stream, changeset.changeset_id.get());
        let by_last = keys::key(stream, changeset.last_event_id.get());
        for (keyspace, key, value) in [
            (&store.log, checkpoint.to_vec(), rows::encode(changeset)),
            (&store.by_changeset, by_id, checkpoint.to_vec()),
            (&store.by_event, by_last, checkpoint.to_vec()),
        ] {
            if keyspace.contains_key(&key).map_err(translate)? {
                return Err(corrupt(&"two changesets have the same key"));
            }
            batch.insert(keyspace, key, value);
        }
        if changeset.commit_id.is_clients() {
            let key = keys::client_key(stream, changeset.commit_id.as_str());
            let id = changeset.changeset_id.get().to_be_bytes();
            batch.insert(&store.by_key, key, id);
        }
    }
    batch.commit().map_err(translate_write)
}
