//! Finds the changeset that has an event.

use ees_core::{StorageError, StreamId};
use rusqlite::{Connection, params};

use crate::rows::{number, one, optional};

/// The last changeset of a stream, and its last event.
pub(crate) const END: &str = "
    SELECT changeset_id, last_event_id FROM changesets
    WHERE stream_id = ?1 ORDER BY changeset_id DESC LIMIT 1";

pub(crate) const LAST_EVENT: &str =
    "SELECT last_event_id FROM changesets WHERE stream_id = ?1 AND changeset_id = ?2";

/// The id of the changeset that has an event, or of the first one if the event comes before it.
/// None if the stream ends before the event.
///
/// A binary search: changeset ids have no gaps, and event ids ascend with them. Each changeset has
/// an event at least, so the id is at most that of the event.
pub(crate) fn changeset_of(
    connection: &Connection,
    stream_id: &StreamId,
    event: i64,
) -> Result<Option<i64>, StorageError> {
    let end = optional(connection, END, [stream_id.as_str()], |row| {
        Ok((number::<i64>(row, 0)?, number::<i64>(row, 1)?))
    })?;
    let Some((last_changeset, last_event)) = end else {
        return Ok(None);
    };
    if last_event < event {
        return Ok(None);
    }
    let (mut first, mut last) = (1, last_changeset.min(event.max(1)));
    while first < last {
        let middle = first + (last - first) / 2;
        if last_event_of(connection, stream_id, middle)? < event {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    Ok(Some(first))
}

fn last_event_of(
    connection: &Connection,
    stream_id: &StreamId,
    changeset: i64,
) -> Result<i64, StorageError> {
    let params = params![stream_id.as_str(), changeset];
    one(connection, LAST_EVENT, params, |row| number(row, 0))
}
