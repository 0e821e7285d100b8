//! The transactions of group commit.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchStore, Snapshot};
use ees_core::adapter::{ClientKey, Commit, News};
use ees_core::{Changeset, ChangesetId, StorageError, StreamId};
use redb::{Database, ReadableTable, WriteTransaction};
use tokio::sync::OwnedRwLockReadGuard;

use crate::database::{SharedDatabase, begin_write, blocking};
use crate::error::{corrupt, translate, translate_commit};
use crate::rows::{head, next_checkpoint, row};
use crate::schema::{BY_CHANGESET, BY_EVENT, BY_KEY, LOG};

/// Runs the transactions of group commit on the database.
pub(crate) struct Writer {
    pub(crate) database: SharedDatabase,
    pub(crate) news: Arc<News>,
    pub(crate) open: Option<Open>,
}

/// An open transaction, with the read lock that keeps the database open.
pub(crate) struct Open {
    transaction: WriteTransaction,
    _database: OwnedRwLockReadGuard<Option<Database>>,
}

#[async_trait]
impl BatchStore for Writer {
    /// Returns at once: redb locks the file for this process, so no other writer exists.
    async fn await_turn(&mut self, _first: &Commit) -> Result<(), StorageError> {
        Ok(())
    }

    async fn begin(
        &mut self,
        streams: &[StreamId],
        keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError> {
        let database = Arc::clone(&self.database).read_owned().await;
        let (streams, keys) = (streams.to_vec(), keys.to_vec());
        let begun = blocking(move || {
            let transaction = begin_write(database.as_ref())?;
            let snapshot = snapshot(&transaction, streams, keys)?;
            let open = Open {
                transaction,
                _database: database,
            };
            Ok((open, snapshot))
        });
        let (open, snapshot) = begun.await?;
        self.open = Some(open);
        Ok(snapshot)
    }

    async fn commit(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        let open = self.open.take().ok_or_else(StorageError::closed)?;
        let changesets = changesets.to_vec();
        let committed = blocking(move || {
            write(&open.transaction, &changesets)?;
            open.transaction.commit().map_err(translate_commit)
        });
        committed.await?;
        self.news.announce();
        Ok(())
    }

    async fn rollback(&mut self) {
        if let Some(open) = self.open.take() {
            // A dropped transaction is rolled back, even if the thread fails.
            let _ = blocking(move || open.transaction.abort().map_err(translate)).await;
        }
    }
}

/// Reads the input of the judge inside the transaction.
fn snapshot(
    transaction: &WriteTransaction,
    streams: Vec<StreamId>,
    client_keys: Vec<ClientKey>,
) -> Result<Snapshot, StorageError> {
    let log = transaction.open_table(LOG).map_err(translate)?;
    let by_changeset = transaction.open_table(BY_CHANGESET).map_err(translate)?;
    let mut heads = HashMap::new();
    for stream in streams {
        if let Some(head) = head(&log, &by_changeset, &stream)? {
            heads.insert(stream, head);
        }
    }
    let by_key = transaction.open_table(BY_KEY).map_err(translate)?;
    let mut keys = HashMap::new();
    for key in client_keys {
        let entry = (key.stream_id.as_str(), key.commit_id.as_str());
        if let Some(stands) = by_key.get(entry).map_err(translate)? {
            let stands = ChangesetId::new(stands.value()).map_err(|error| corrupt(&error))?;
            keys.insert(key, stands);
        }
    }
    Ok(Snapshot {
        heads,
        keys,
        next_checkpoint: next_checkpoint(&log)?,
    })
}

/// Writes changesets into the transaction. Refuses to overwrite an entry, as the last check.
fn write(transaction: &WriteTransaction, changesets: &[Changeset]) -> Result<(), StorageError> {
    let mut log = transaction.open_table(LOG).map_err(translate)?;
    let mut by_changeset = transaction.open_table(BY_CHANGESET).map_err(translate)?;
    let mut by_event = transaction.open_table(BY_EVENT).map_err(translate)?;
    let mut by_key = transaction.open_table(BY_KEY).map_err(translate)?;
    for changeset in changesets {
        let checkpoint = changeset
            .checkpoint
            .ok_or_else(|| corrupt(&"a changeset has no checkpoint"))?;
        let checkpoint = checkpoint.get();
        let stream = changeset.stream_id.as_str();
        let by_id = (stream, changeset.changeset_id.get());
        let by_last = (stream, changeset.last_event_id.get());
        let set = changeset.set.map(|set| set.to_string());
        let existed = [
            log.insert(checkpoint, row(changeset, set.as_deref()))
                .map_err(translate)?
                .is_some(),
            insert(&mut by_changeset, by_id, checkpoint)?,
            insert(&mut by_event, by_last, checkpoint)?,
        ];
        if existed.contains(&true) {
            return Err(corrupt(&"two changesets have the same key"));
        }
        if changeset.commit_id.is_clients() {
            let entry = (stream, changeset.commit_id.as_str());
            let id = changeset.changeset_id.get();
            by_key.insert(entry, id).map_err(translate)?;
        }
    }
    Ok(())
}

/// Writes an index entry. Returns whether an entry already existed.
fn insert(
    index: &mut redb::Table<'_, (&'static str, u64), u64>,
    key: (&str, u64),
    checkpoint: u64,
) -> Result<bool, StorageError> {
    let stood = index.insert(key, checkpoint).map_err(translate)?;
    Ok(stood.is_some())
}
