//! Batches of commits. Fjall's batches only write, so the loop's order stands for a transaction.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::News;
use ees_core::adapter::group_commit::{BatchStore, Snapshot};
use ees_core::{Changeset, Head, StorageError, StreamId};
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
    async fn await_turn(&mut self, _first: &StreamId) -> Result<(), StorageError> {
        Ok(())
    }

    async fn begin(&mut self, streams: &[StreamId]) -> Result<Snapshot, StorageError> {
        let streams = streams.to_vec();
        self.handle.run(|store| snapshot(store, streams)).await
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

fn snapshot(store: &Store, streams: Vec<StreamId>) -> Result<Snapshot, StorageError> {
    let at = store.database.snapshot();
    let mut heads = HashMap::new();
    for stream in streams {
        if let Some(head) = head(store, &at, stream.as_str())? {
            heads.insert(stream, head);
        }
    }
    let next_checkpoint = store.next_checkpoint(&at)?;
    Ok(Snapshot {
        heads,
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
    }
    batch.commit().map_err(translate_write)
}
