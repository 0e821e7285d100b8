//! Changesets as rows.

use ees_core::ports::StorageError;
use ees_core::{
    Changeset, ChangesetId, Checkpoint, CommitId, EventId, Events, Json, StreamId, Timestamp,
};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// What every query of changesets selects, in the order that [`changeset`] reads.
macro_rules! columns {
    () => {
        "checkpoint, stream_id, changeset_id, first_event_id, last_event_id, \"timestamp\", \
         commit_id, metadata, events"
    };
}
pub(crate) use columns;

/// Reads a row of [`columns`].
pub(crate) fn changeset(row: &PgRow) -> Result<Changeset, StorageError> {
    let first_event_id: EventId = number(row, 3)?;
    let last_event_id: EventId = number(row, 4)?;
    let count = last_event_id.get().checked_sub(first_event_id.get());
    let count = count.ok_or_else(|| corrupt(4, &"the last event comes before the first"))? + 1;
    Ok(Changeset {
        checkpoint: Some(number::<Checkpoint>(row, 0)?),
        stream_id: StreamId::new(text(row, 1)?).map_err(|error| corrupt(1, &error))?,
        changeset_id: number::<ChangesetId>(row, 2)?,
        first_event_id,
        last_event_id,
        timestamp: timestamp(row, 5)?,
        commit_id: CommitId::new(text(row, 6)?).map_err(|error| corrupt(6, &error))?,
        metadata: Json::from_storage(json(row, 7)?),
        events: Events::from_storage(json(row, 8)?, count),
    })
}

/// Reads an integer column as a number of the domain.
pub(crate) fn number<T>(row: &PgRow, column: usize) -> Result<T, StorageError>
where
    T: TryFrom<i64, Error: std::fmt::Display>,
{
    let number: i64 = row
        .try_get(column)
        .map_err(|error| corrupt(column, &error))?;
    T::try_from(number).map_err(|error| corrupt(column, &error))
}

/// Reads a column of microseconds.
pub(crate) fn timestamp(row: &PgRow, column: usize) -> Result<Timestamp, StorageError> {
    let micros: i64 = row
        .try_get(column)
        .map_err(|error| corrupt(column, &error))?;
    Timestamp::from_micros(micros).map_err(|error| corrupt(column, &error))
}

/// Reads a text column.
pub(crate) fn text(row: &PgRow, column: usize) -> Result<&str, StorageError> {
    row.try_get(column).map_err(|error| corrupt(column, &error))
}

/// Reads a column of type json as the text that it is.
fn json(row: &PgRow, column: usize) -> Result<&str, StorageError> {
    row.try_get_unchecked(column)
        .map_err(|error| corrupt(column, &error))
}

pub(crate) fn corrupt(column: usize, problem: &dyn std::fmt::Display) -> StorageError {
    StorageError::Corrupt(format!(
        "column {column} of a row cannot be read: {problem}"
    ))
}
