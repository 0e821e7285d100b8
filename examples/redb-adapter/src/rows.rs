//! Converts changesets to rows and back.

use ees_core::adapter::StoredChangeset;
use ees_core::{
    Changeset, ChangesetId, Checkpoint, EventId, Head, StorageError, StreamId, Timestamp,
};
use redb::ReadableTable;

use crate::error::{corrupt, translate};

/// The columns: stream, changeset id, first and last event id, microseconds, commit id, the place in
/// a set, metadata, events.
pub(crate) type Row = (
    &'static str,
    u64,
    u64,
    u64,
    i64,
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
);

/// A row as redb lends it to a reader.
type Lent<'a> = (
    &'a str,
    u64,
    u64,
    u64,
    i64,
    &'a str,
    Option<&'a str>,
    &'a str,
    &'a str,
);

/// Converts a changeset, with the text of its place in a set, to a row.
pub(crate) fn row<'a>(changeset: &'a Changeset, set: Option<&'a str>) -> Lent<'a> {
    (
        changeset.stream_id.as_str(),
        changeset.changeset_id.get(),
        changeset.first_event_id.get(),
        changeset.last_event_id.get(),
        changeset.timestamp.as_micros(),
        changeset.commit_id.as_str(),
        set,
        changeset.metadata.as_str(),
        changeset.events.as_str(),
    )
}

/// Converts a row to the changeset at a checkpoint.
pub(crate) fn changeset(checkpoint: u64, row: Lent<'_>) -> Result<Changeset, StorageError> {
    let (stream_id, id, first, last, timestamp_micros, commit_id, set, metadata, events) = row;
    let stored = StoredChangeset {
        checkpoint: Some(checkpoint.cast_signed()),
        stream_id,
        changeset_id: id.cast_signed(),
        first_event_id: first.cast_signed(),
        last_event_id: last.cast_signed(),
        timestamp_micros,
        commit_id,
        set,
        metadata,
        events,
    };
    stored.try_into()
}

/// Reads the head of a stream through the index by changeset id, in a transaction of any kind.
pub(crate) fn head(
    log: &impl ReadableTable<u64, Row>,
    by_changeset: &impl ReadableTable<(&'static str, u64), u64>,
    stream: &StreamId,
) -> Result<Option<Head>, StorageError> {
    let stream = stream.as_str();
    let mut entries = by_changeset
        .range((stream, 0)..=(stream, u64::MAX))
        .map_err(translate)?;
    let Some(last) = entries.next_back() else {
        return Ok(None);
    };
    let (_, checkpoint) = last.map_err(translate)?;
    let found = log.get(checkpoint.value()).map_err(translate)?;
    let found = found.ok_or_else(|| corrupt(&"an index entry has no changeset"))?;
    let (_, id, _, last_event, micros, ..) = found.value();
    Ok(Some(Head {
        last_changeset: ChangesetId::new(id).map_err(|error| corrupt(&error))?,
        last_event: EventId::new(last_event).map_err(|error| corrupt(&error))?,
        last_timestamp: Timestamp::from_micros(micros).map_err(|error| corrupt(&error))?,
    }))
}

/// Reads the checkpoint of the next changeset, in a transaction of any kind.
pub(crate) fn next_checkpoint(
    log: &impl ReadableTable<u64, Row>,
) -> Result<Checkpoint, StorageError> {
    let last = log.last().map_err(translate)?;
    let next = last.map_or(0, |(checkpoint, _)| checkpoint.value() + 1);
    Checkpoint::new(next).map_err(|error| corrupt(&error))
}

/// Converts a stored number to a checkpoint.
pub(crate) fn checkpoint(number: u64) -> Result<Checkpoint, StorageError> {
    Checkpoint::new(number).map_err(|error| corrupt(&error))
}
