//! Finds the changeset that has an event.

use ees_core::{StorageError, StreamId};
use rusqlite::{Connection, params};

use crate::reads::head;
use crate::rows::{optional, outline, outline_columns};

pub(crate) const CHANGESET: &str = concat!(
    "SELECT ",
    outline_columns!(),
    " FROM changesets WHERE stream_id = ?1 AND changeset_id = ?2"
);

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
    let head = head(connection, stream_id)?;
    let Some(head) = head.filter(|head| head.last_event.as_i64() >= event) else {
        return Ok(None);
    };
    let (mut first, mut last) = (1, head.last_changeset.as_i64().min(event.max(1)));
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
    let found = optional(connection, CHANGESET, params, |row| {
        Ok(outline(row)?.last_event_id)
    })?;
    found.ok_or_else(|| {
        StorageError::Corrupt(format!(
            "changeset {changeset} of stream `{stream_id}` is missing, or its index is damaged"
        ))
    })
}
