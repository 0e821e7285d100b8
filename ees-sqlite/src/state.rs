//! The row that tells where the table of changesets ends, so that a lost end is noticed, and how far an
//! upgrade has come.

use ees_core::{Checkpoint, StorageError};
use rusqlite::{Connection, params};

use crate::rows::{number, one, optional_integer};

/// The end that is kept, and the end that the table has.
pub(crate) const ENDS: &str = "
    SELECT next_checkpoint, (SELECT coalesce(max(checkpoint) + 1, 0) FROM changesets) FROM state";

const KEPT_END: &str = "SELECT next_checkpoint FROM state";

const LAST: &str = "
    SELECT changesets.checkpoint FROM state LEFT JOIN changesets
    ON changesets.checkpoint = state.next_checkpoint - 1 AND changesets.checksum = state.last_checksum";

const ADVANCE: &str = "UPDATE state SET next_checkpoint = ?1, last_checksum = ?2";

const UPGRADE: &str = "SELECT upgraded_to, dated_from FROM state";

const UPGRADED: &str = "UPDATE state SET upgraded_to = ?1";

const UPGRADED_ALL: &str = "
    UPDATE state SET upgraded_to = dated_from,
    last_checksum = (SELECT checksum FROM changesets WHERE checkpoint = state.next_checkpoint - 1)";

/// How far an upgrade has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upgrade {
    pub(crate) upgraded_to: Checkpoint,
    /// Where the rows begin whose checksums date from their commits.
    pub(crate) dated_from: Checkpoint,
}

impl Upgrade {
    pub(crate) fn is_finished(self) -> bool {
        self.upgraded_to >= self.dated_from
    }
}

/// The end that is kept.
pub(crate) fn kept_end(connection: &Connection) -> Result<Checkpoint, StorageError> {
    one(connection, KEPT_END, [], |row| number(row, 0))
}

/// The end of the table.
///
/// # Errors
/// [`StorageError::Corrupt`] if the table ends elsewhere.
pub(crate) fn end(connection: &Connection) -> Result<Checkpoint, StorageError> {
    let (kept, found): (Checkpoint, Checkpoint) = one(connection, ENDS, [], |row| {
        Ok((number(row, 0)?, number(row, 1)?))
    })?;
    if kept == found {
        return Ok(kept);
    }
    Err(StorageError::Corrupt(format!(
        "the changesets end at checkpoint {found}, but the last commit ended at checkpoint {kept}"
    )))
}

/// Checks that the table ends with the row that was written last.
pub(crate) fn check_last(connection: &Connection) -> Result<(), StorageError> {
    let end = end(connection)?;
    let found = one(connection, LAST, [], |row| optional_integer(row, 0))?;
    if end == Checkpoint::FIRST || found.is_some() {
        return Ok(());
    }
    Err(StorageError::Corrupt(format!(
        "the row before checkpoint {end} is not the one that was written last"
    )))
}

/// Keeps the end after a transaction that inserts up to a row with this checksum.
pub(crate) fn advance(
    connection: &Connection,
    next_checkpoint: Checkpoint,
    last_checksum: i64,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(ADVANCE)?;
    statement.execute(params![next_checkpoint.as_i64(), last_checksum])?;
    Ok(())
}

/// How far the upgrade has come.
pub(crate) fn upgrade(connection: &Connection) -> Result<Upgrade, StorageError> {
    one(connection, UPGRADE, [], |row| {
        Ok(Upgrade {
            upgraded_to: number(row, 0)?,
            dated_from: number(row, 1)?,
        })
    })
}

/// Keeps how far the upgrade has come, in the open transaction.
pub(crate) fn upgraded_to(connection: &Connection, position: Checkpoint) -> rusqlite::Result<()> {
    connection.execute(UPGRADED, [position.as_i64()]).map(drop)
}

/// Ends the upgrade, in the open transaction.
pub(crate) fn end_upgrade(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(UPGRADED_ALL, []).map(drop)
}
