//! Converts rows to changesets.

use ees_core::adapter::StoredChangeset;
use ees_core::{Changeset, Head, StorageError, Timestamp};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// The columns that every query of changesets selects, in the order in which [`changeset`] reads
/// them.
macro_rules! columns {
    () => {
        "checkpoint, stream_id, changeset_id, first_event_id, last_event_id, \"timestamp\", \
         commit_id, metadata, events, set_mark"
    };
}
pub(crate) use columns;

/// Reads a row of [`columns`].
pub(crate) fn changeset(row: &PgRow) -> Result<Changeset, StorageError> {
    let stored = StoredChangeset {
        checkpoint: Some(get(row, 0)?),
        stream_id: get(row, 1)?,
        changeset_id: get(row, 2)?,
        first_event_id: get(row, 3)?,
        last_event_id: get(row, 4)?,
        timestamp_micros: get(row, 5)?,
        commit_id: get(row, 6)?,
        metadata: json(row, 7)?,
        events: json(row, 8)?,
        set: get(row, 9)?,
    };
    stored.try_into()
}

/// Reads an integer column as an id or a checkpoint.
pub(crate) fn number<T>(row: &PgRow, column: usize) -> Result<T, StorageError>
where
    T: TryFrom<i64, Error: std::fmt::Display>,
{
    let number: i64 = get(row, column)?;
    T::try_from(number).map_err(|error| corrupt(column, &error))
}

/// Reads a column of microseconds since 1970 as a time.
pub(crate) fn timestamp(row: &PgRow, column: usize) -> Result<Timestamp, StorageError> {
    Timestamp::from_micros(get(row, column)?).map_err(|error| corrupt(column, &error))
}

/// Reads a stream's head from three columns, beginning with `from`: the last changeset, the last
/// event and the time.
pub(crate) fn head(row: &PgRow, from: usize) -> Result<Head, StorageError> {
    Ok(Head {
        last_changeset: number(row, from)?,
        last_event: number(row, from + 1)?,
        last_timestamp: timestamp(row, from + 2)?,
    })
}

/// Reads a text column.
pub(crate) fn text(row: &PgRow, column: usize) -> Result<&str, StorageError> {
    get(row, column)
}

fn get<'r, T>(row: &'r PgRow, column: usize) -> Result<T, StorageError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(column).map_err(|error| corrupt(column, &error))
}

/// Reads a column of type json as its stored text.
fn json(row: &PgRow, column: usize) -> Result<&str, StorageError> {
    row.try_get_unchecked(column)
        .map_err(|error| corrupt(column, &error))
}

pub(crate) fn corrupt(column: usize, problem: &dyn std::fmt::Display) -> StorageError {
    StorageError::Corrupt(format!(
        "column {column} of a row cannot be read: {problem}"
    ))
}
