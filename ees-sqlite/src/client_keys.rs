//! Finds a client's idempotency key in its stream (G10).
//!
//! The changesets of a stream form blocks of [`BLOCK`]. When a block is full, the transaction that
//! fills it files its keys: the table `client_keys` gets an entry for each. The keys of the last block
//! stand in its rows only. An index of all keys would cost each commit a changed page of its own, as
//! keys come in no order; a block's entries share theirs.

use ees_core::adapter::ClientKey;
use ees_core::{ChangesetId, CommitId, Head, StorageError, StreamId};
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::error::translate;
use crate::rows::{outline, outline_columns, valid};

/// The number of changesets in a block.
const BLOCK: u64 = 32;

/// Selects the filed changesets whose keys have a hash, in their order. Different keys may have the same
/// hash.
pub(crate) const FILED: &str = concat!(
    "SELECT ",
    outline_columns!(),
    " FROM client_keys AS filed CROSS JOIN changesets USING (stream_id, changeset_id)
    WHERE filed.stream_id = ?1 AND filed.key_hash = ?2 ORDER BY filed.changeset_id"
);

/// Selects the changesets behind one.
pub(crate) const RECENT: &str = concat!(
    "SELECT ",
    outline_columns!(),
    " FROM changesets WHERE stream_id = ?1 AND changeset_id > ?2 ORDER BY changeset_id"
);

/// Files a key. The migration of an older file has filed every key, also those of last blocks: so the
/// entry may be there.
const FILE_KEY: &str = "INSERT OR IGNORE INTO client_keys VALUES (?1, ?2, ?3)";

/// Files the clients' keys of the changesets from ?2 to ?3.
const FILE_BLOCK: &str = "
    INSERT OR IGNORE INTO client_keys
    SELECT stream_id, key_hash(commit_id), changeset_id FROM changesets
    WHERE stream_id = ?1 AND changeset_id BETWEEN ?2 AND ?3 AND substr(commit_id, 1, 4) <> 'ees-'
    ORDER BY 2";

/// Selects the first changesets of full blocks whose clients' keys are not filed. It reads every row.
const LOST: &str = "
    SELECT checkpoint, stream_id, changeset_id FROM changesets AS row
    WHERE substr(commit_id, 1, 4) <> 'ees-'
      AND (changeset_id - 1) / 32 < (SELECT max(changeset_id) FROM changesets WHERE stream_id = row.stream_id) / 32
      AND NOT EXISTS (
        SELECT 1 FROM client_keys
        WHERE stream_id = row.stream_id AND key_hash = key_hash(row.commit_id) AND changeset_id = row.changeset_id)
    LIMIT 20";

/// A key in the last block of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecentKey {
    pub(crate) commit_id: CommitId,
    pub(crate) changeset_id: ChangesetId,
}

/// Whether a changeset is the last of its block.
pub(crate) fn fills_block(changeset_id: ChangesetId) -> bool {
    changeset_id.get().is_multiple_of(BLOCK)
}

/// Defines the function of the same name on a connection that writes.
pub(crate) fn define_key_hash(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("key_hash", 1, flags, |context| {
        Ok(key_hash(context.get_raw(0).as_str()?))
    })
}

fn key_hash(commit_id: &str) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(commit_id)[..8]);
    i64::from_be_bytes(first)
}

/// The first changeset of the stream's full blocks that has a key.
pub(crate) fn filed(
    connection: &Connection,
    key: &ClientKey,
    head: &Head,
) -> Result<Option<ChangesetId>, StorageError> {
    if head.last_changeset.get() < BLOCK {
        return Ok(None);
    }
    let commit_id = key.commit_id.as_str();
    let mut statement = connection.prepare_cached(FILED).map_err(translate)?;
    let rows = statement.query(params![key.stream_id.as_str(), key_hash(commit_id)]);
    let mut rows = rows.map_err(translate)?;
    while let Some(row) = rows.next().map_err(translate)? {
        let filed = outline(row)?;
        if filed.commit_id == commit_id {
            return valid(filed.changeset_id).map(Some);
        }
    }
    Ok(None)
}

/// Which keys are not filed that should be: the first ones, for people.
pub(crate) fn lost(connection: &Connection) -> Result<Vec<String>, StorageError> {
    define_key_hash(connection).map_err(translate)?;
    let mut statement = connection.prepare(LOST).map_err(translate)?;
    let lost = statement.query_map([], |row| {
        let (position, stream, id): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!(
            "the idempotency key of changeset {id} of stream `{stream}`, at checkpoint {position}, is not filed"
        ))
    });
    lost.and_then(Iterator::collect).map_err(translate)
}

/// The clients' keys of the stream's last block.
pub(crate) fn recent(
    connection: &Connection,
    stream_id: &StreamId,
    head: &Head,
) -> Result<Vec<RecentKey>, StorageError> {
    let last = head.last_changeset.as_i64();
    let filed = last - last % BLOCK.cast_signed();
    let mut statement = connection.prepare_cached(RECENT).map_err(translate)?;
    let rows = statement.query_map(params![stream_id.as_str(), filed], |row| {
        Ok(recent_key(row))
    });
    let rows = rows.map_err(translate)?;
    let keys = rows.map(|row| row.map_err(translate)?);
    let of_clients =
        |key: &Result<RecentKey, _>| key.as_ref().map_or(true, |key| key.commit_id.is_clients());
    keys.filter(of_clients).collect()
}

fn recent_key(row: &rusqlite::Row<'_>) -> Result<RecentKey, StorageError> {
    let outline = outline(row)?;
    Ok(RecentKey {
        changeset_id: valid(outline.changeset_id)?,
        commit_id: CommitId::new(outline.commit_id)
            .map_err(|error| StorageError::Corrupt(format!("a row's commit id: {error}")))?,
    })
}

/// A block that a transaction fills.
#[derive(Debug)]
pub(crate) struct FullBlock {
    pub(crate) stream_id: StreamId,
    pub(crate) last: ChangesetId,
    /// The clients' keys of the block. None: they stand in its rows only.
    pub(crate) keys: Option<Vec<RecentKey>>,
}

impl FullBlock {
    /// Files the keys of the block.
    pub(crate) fn file(&self, connection: &Connection) -> rusqlite::Result<()> {
        match &self.keys {
            Some(keys) => self.file_known(connection, keys),
            None => self.file_rows(connection),
        }
    }

    fn file_known(&self, connection: &Connection, keys: &[RecentKey]) -> rusqlite::Result<()> {
        let entry = |key: &RecentKey| (key_hash(key.commit_id.as_str()), key.changeset_id.as_i64());
        let mut entries: Vec<_> = keys.iter().map(entry).collect();
        entries.sort_unstable();
        let mut statement = connection.prepare_cached(FILE_KEY)?;
        for (hash, changeset_id) in entries {
            statement.execute(params![self.stream_id.as_str(), hash, changeset_id])?;
        }
        Ok(())
    }

    fn file_rows(&self, connection: &Connection) -> rusqlite::Result<()> {
        let last = self.last.as_i64();
        let first = last - BLOCK.cast_signed() + 1;
        let mut statement = connection.prepare_cached(FILE_BLOCK)?;
        statement.execute(params![self.stream_id.as_str(), first, last])?;
        Ok(())
    }
}
