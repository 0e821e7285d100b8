//! Reads rows as the core's types, and checks that they are as they were written.

use ees_core::adapter::StoredChangeset;
use ees_core::{Changeset, StorageError, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::checksum::Outline;
use crate::error::translate;

/// The columns that every query of changesets selects, in the order in which [`changeset`] reads
/// them.
macro_rules! columns {
    () => {
        "checkpoint, stream_id, changeset_id, first_event_id, last_event_id, timestamp, \
         commit_id, set_mark, event_types, checksum, metadata, events"
    };
}
pub(crate) use columns;

/// The same without the payload, for [`outline`].
macro_rules! outline_columns {
    () => {
        "checkpoint, stream_id, changeset_id, first_event_id, last_event_id, timestamp, \
         commit_id, set_mark, event_types, checksum"
    };
}
pub(crate) use outline_columns;

/// Reads a row of [`columns`]. Each text is copied once, from SQLite's memory into the changeset.
///
/// # Errors
/// [`StorageError::Corrupt`] if the row is not as it was written.
pub(crate) fn changeset(row: &Row<'_>) -> Result<Changeset, StorageError> {
    let outline = columns_of(row)?;
    let (metadata, events) = (text(row, 10)?, text(row, 11)?);
    if optional_integer(row, 9)? != Some(outline.checksum(metadata, events)) {
        return Err(damaged(&outline));
    }
    changeset_of(&outline, metadata, events)
}

/// The changeset that a row holds. The row is not checked.
pub(crate) fn changeset_of(
    outline: &Outline<'_>,
    metadata: &str,
    events: &str,
) -> Result<Changeset, StorageError> {
    let stored = StoredChangeset {
        checkpoint: Some(outline.checkpoint),
        stream_id: outline.stream_id,
        changeset_id: outline.changeset_id,
        first_event_id: outline.first_event_id,
        last_event_id: outline.last_event_id,
        timestamp_micros: outline.timestamp,
        commit_id: outline.commit_id,
        set: outline.set_mark,
        events,
        metadata,
    };
    stored.try_into()
}

/// Reads a row that begins with [`outline_columns`].
///
/// # Errors
/// [`StorageError::Corrupt`] if these columns are not as they were written.
pub(crate) fn outline<'r>(row: &'r Row<'_>) -> Result<Outline<'r>, StorageError> {
    let outline = columns_of(row)?;
    match optional_integer(row, 9)? {
        Some(checksum) if outline.is_covered_by(checksum) => Ok(outline),
        _ => Err(damaged(&outline)),
    }
}

/// Reads a row that begins with [`outline_columns`], and does not check it.
pub(crate) fn columns_of<'r>(row: &'r Row<'_>) -> Result<Outline<'r>, StorageError> {
    Ok(Outline {
        checkpoint: integer(row, 0)?,
        stream_id: text(row, 1)?,
        changeset_id: integer(row, 2)?,
        first_event_id: integer(row, 3)?,
        last_event_id: integer(row, 4)?,
        timestamp: integer(row, 5)?,
        commit_id: text(row, 6)?,
        set_mark: optional_text(row, 7)?,
        event_types: optional_text(row, 8)?,
    })
}

fn damaged(outline: &Outline<'_>) -> StorageError {
    let Outline {
        checkpoint,
        stream_id,
        changeset_id,
        ..
    } = outline;
    StorageError::Corrupt(format!(
        "the row at checkpoint {checkpoint}, changeset {changeset_id} of stream `{stream_id}`, is not as \
         it was written: its checksum is wrong or missing"
    ))
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
    valid(integer(row, column)?)
}

/// An integer of a row as an id or a checkpoint.
pub(crate) fn valid<T>(number: i64) -> Result<T, StorageError>
where
    T: TryFrom<i64, Error: std::fmt::Display>,
{
    T::try_from(number)
        .map_err(|error| StorageError::Corrupt(format!("{number} in a row: {error}")))
}

/// An integer of a row, microseconds since 1970, as a time.
pub(crate) fn time(micros: i64) -> Result<Timestamp, StorageError> {
    Timestamp::from_micros(micros)
        .map_err(|error| StorageError::Corrupt(format!("{micros} in a row: {error}")))
}

/// Reads an integer column.
pub(crate) fn integer(row: &Row<'_>, column: usize) -> Result<i64, StorageError> {
    let value = row.get_ref(column);
    let value = value.map_err(|error| corrupt(column, &error))?;
    value.as_i64().map_err(|error| corrupt(column, &error))
}

/// Reads an integer column that may be NULL.
pub(crate) fn optional_integer(row: &Row<'_>, column: usize) -> Result<Option<i64>, StorageError> {
    let value = row.get_ref(column);
    let value = value.map_err(|error| corrupt(column, &error))?;
    value
        .as_i64_or_null()
        .map_err(|error| corrupt(column, &error))
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
