//! Converts rows to the input of the judge.

use ees_core::adapter::ClientKey;
use ees_core::adapter::group_commit::Snapshot;
use ees_core::{ChangesetId, CommitId, StorageError, StreamId};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::rows::{corrupt, head, number, text};

/// Whether a row of [`HEADS_AND_KEYS`](super::HEADS_AND_KEYS) is of a key.
pub(super) fn is_key(row: &PgRow) -> bool {
    let key: Option<&str> = row.try_get(6).unwrap_or_default();
    key.is_some()
}

/// Fails if the rows of heads tell of a fence.
pub(super) fn check_open(rows: &[PgRow]) -> Result<(), StorageError> {
    let moved_to: Option<String> = match rows.first() {
        Some(row) => row.try_get(5).map_err(|error| corrupt(5, &error))?,
        None => None,
    };
    match moved_to {
        Some(moved_to) => Err(StorageError::Fenced { moved_to }),
        None => Ok(()),
    }
}

/// Reads rows of heads and of keys.
pub(crate) fn snapshot(rows: &[PgRow], keys: &[PgRow]) -> Result<Snapshot, StorageError> {
    let Some(first) = rows.first() else {
        return Err(StorageError::Corrupt(
            "the query of the next checkpoint returned no row".to_owned(),
        ));
    };
    let ends = rows.iter().filter(|row| {
        let name: Option<&str> = row.try_get(1).unwrap_or_default();
        name.is_some()
    });
    let heads = ends.map(|row| {
        let stream_id = StreamId::new(text(row, 1)?).map_err(|error| corrupt(1, &error))?;
        Ok((stream_id, head(row, 2)?))
    });
    Ok(Snapshot {
        next_checkpoint: number(first, 0)?,
        heads: heads.collect::<Result<_, StorageError>>()?,
        keys: keys.iter().map(key).collect::<Result<_, StorageError>>()?,
    })
}

/// Reads a row of a key.
fn key(row: &PgRow) -> Result<(ClientKey, ChangesetId), StorageError> {
    let stream_id = StreamId::new(text(row, 1)?).map_err(|error| corrupt(1, &error))?;
    let commit_id = CommitId::new(text(row, 6)?).map_err(|error| corrupt(6, &error))?;
    let key = ClientKey {
        stream_id,
        commit_id,
    };
    Ok((key, number(row, 2)?))
}
