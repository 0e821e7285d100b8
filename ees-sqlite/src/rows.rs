//! Reads rows as the core's types.

use ees_core::adapter::StoredChangeset;
use ees_core::{Changeset, StorageError, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::error::translate;

/// The columns that every query of changesets selects, in the order in which [`changeset`] reads
/// them.
macro_rules! columns {
    () => {
        "checkpoint, stream_id, changeset_id, first_event_id, last_event_id, timestamp, \
         commit_id, metadata, events, set_mark"
    };
}
pub(crate) use columns;

/// Reads a row of [`columns`]. Each text is copied once, from SQLite's memory into the changeset.
pub(crate) fn changeset(row: &Row<'_>) -> Result<Changeset, StorageError> {
    let stored = StoredChangeset {
        checkpoint: Some(integer(row, 0)?),
        stream_id: text(row, 1)?,
        changeset_id: integer(row, 2)?,
        first_event_id: integer(row, 3)?,
        last_event_id: integer(row, 4)?,
        timestamp_micros: integer(row, 5)?,
        commit_id: text(row, 6)?,
        metadata: text(row, 7)?,
        events: text(row, 8)?,
        set: optional_text(row, 9)?,
    };
    stored.try_into()
}

/// Reads the only row of a query.
pub(crate) fn one<T>(
    connection: &Connection,
    statement: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    let mut statement = connection.prepare_cached(statement).map_err(translate)?;
    let row = statement.query_row(params, |row| Ok(read(row)));
    row.map_err(translate)?
}

/// Reads the first row of a query, if there is one.
pub(crate) fn optional<T>(
    connection: &Connection,
    statement: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StorageError>,
) -> Result<Option<T>, StorageError> {
    let mut statement = connection.prepare_cached(statement).map_err(translate)?;
    let row = statement.query_row(params, |row| Ok(read(row)));
    row.optional().map_err(translate)?.transpose()
}

/// Reads an integer column as an id or a checkpoint.
pub(crate) fn number<T>(row: &Row<'_>, column: usize) -> Result<T, StorageError>
where
    T: TryFrom<i64, Error: std::fmt::Display>,
{
    let number = integer(row, column)?;
    T::try_from(number).map_err(|error| corrupt(column, &error))
}

/// Reads a column of microseconds since 1970 as a time.
pub(crate) fn timestamp(row: &Row<'_>, column: usize) -> Result<Timestamp, StorageError> {
    Timestamp::from_micros(integer(row, column)?).map_err(|error| corrupt(column, &error))
}

fn integer(row: &Row<'_>, column: usize) -> Result<i64, StorageError> {
    let value = row.get_ref(column);
    let value = value.map_err(|error| corrupt(column, &error))?;
    value.as_i64().map_err(|error| corrupt(column, &error))
}

/// Reads a text column.
pub(crate) fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, StorageError> {
    let value = row.get_ref(column);
    let value = value.map_err(|error| corrupt(column, &error))?;
    value.as_str().map_err(|error| corrupt(column, &error))
}

/// Reads a text column that may be NULL.
pub(crate) fn optional_text<'r>(
    row: &'r Row<'_>,
    column: usize,
) -> Result<Option<&'r str>, StorageError> {
    let value = row.get_ref(column);
    let value = value.map_err(|error| corrupt(column, &error))?;
    value
        .as_str_or_null()
        .map_err(|error| corrupt(column, &error))
}

fn corrupt(column: usize, problem: &dyn std::fmt::Display) -> StorageError {
    StorageError::Corrupt(format!(
        "column {column} of a row cannot be read: {problem}"
    ))
}
