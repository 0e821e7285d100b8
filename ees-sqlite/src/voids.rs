//! The positions without a changeset, which only an import makes (G14). A reader looks here if a page
//! is not dense.

use std::ops::Range;

use ees_core::{Changeset, Checkpoint, GlobalPage, StorageError};
use rusqlite::{Connection, params};

use crate::error::translate;
use crate::rows::{number, optional};

/// Selects the ranges from the one that may contain ?1 to the last one that begins before ?2.
pub(crate) const BETWEEN: &str = "
    SELECT first, past FROM void_positions
    WHERE first >= coalesce((SELECT max(first) FROM void_positions WHERE first <= ?1), 0)
      AND first < ?2
    ORDER BY first";

/// Selects the end of the last range that begins at ?1 or before.
pub(crate) const BEFORE: &str = "
    SELECT past FROM void_positions WHERE first <= ?1 ORDER BY first DESC LIMIT 1";

const INSERT: &str = "INSERT INTO void_positions (first, past) VALUES (?1, ?2)";

/// The page of the changesets that were read from a checkpoint on.
pub(crate) fn page(
    connection: &Connection,
    from: Checkpoint,
    changesets: Vec<Changeset>,
) -> Result<GlobalPage, StorageError> {
    let past = changesets.last().and_then(|last| last.checkpoint);
    let past = past.map_or(from, |last| last.plus(1));
    if past == from.plus(changesets.len() as u64) {
        return GlobalPage::dense(from, changesets);
    }
    let voids = between(connection, from, past)?;
    GlobalPage::dense_but_for(from, changesets, &voids)
}

fn between(
    connection: &Connection,
    from: Checkpoint,
    past: Checkpoint,
) -> Result<Vec<Range<Checkpoint>>, StorageError> {
    let mut statement = connection.prepare_cached(BETWEEN).map_err(translate)?;
    let range = [from.as_i64(), past.as_i64()];
    let rows = statement.query_map(range, |row| {
        let range = number(row, 0).and_then(|first| Ok(first..number(row, 1)?));
        Ok(range)
    });
    let rows = rows.map_err(translate)?;
    rows.map(|row| row.map_err(translate)?).collect()
}

/// The first position from this one on that is not void.
pub(crate) fn pass(
    connection: &Connection,
    position: Checkpoint,
) -> Result<Checkpoint, StorageError> {
    let past = optional(connection, BEFORE, [position.as_i64()], |row| {
        number(row, 0)
    })?;
    Ok(past.map_or(position, |past: Checkpoint| position.max(past)))
}

/// Stores ranges.
pub(crate) fn insert(connection: &Connection, voids: &[Range<Checkpoint>]) -> rusqlite::Result<()> {
    for void in voids {
        let mut statement = connection.prepare_cached(INSERT)?;
        statement.execute(params![void.start.as_i64(), void.end.as_i64()])?;
    }
    Ok(())
}
