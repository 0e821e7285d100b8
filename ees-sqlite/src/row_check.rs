//! Compares rows with their checksums and with the index: in the background while a file is served, and
//! all at once of a copy.

use ees_core::{Changeset, Checkpoint, PageLimit, StorageError};
use rusqlite::{Connection, params};

use crate::reads;
use crate::rows::{number, optional};
use crate::state;

/// How many rows are compared at once.
const SLICE: usize = 256;

/// Where the index finds a changeset: it has the position as well, so no row is read.
pub(crate) const INDEXED: &str =
    "SELECT checkpoint FROM changesets WHERE stream_id = ?1 AND changeset_id = ?2";

/// Compares some rows from a position on. Returns where the next ones begin; `None` if there are none.
///
/// # Errors
/// [`StorageError::Corrupt`] names the first row that is damaged, missing, or not found by the index.
pub(crate) fn check_some(
    connection: &Connection,
    from: Checkpoint,
) -> Result<Option<Checkpoint>, StorageError> {
    let page = reads::global(connection, from, PageLimit::items(SLICE))?;
    for changeset in &page.changesets {
        check_index(connection, changeset)?;
    }
    Ok((page.next > from).then_some(page.next))
}

/// Compares all rows, and the end of the table with the one that is kept.
///
/// # Errors
/// As of [`check_some`].
pub(crate) fn check_all(connection: &Connection) -> Result<(), StorageError> {
    state::check_last(connection)?;
    let mut next = Some(Checkpoint::FIRST);
    while let Some(from) = next {
        next = check_some(connection, from)?;
    }
    Ok(())
}

fn check_index(connection: &Connection, changeset: &Changeset) -> Result<(), StorageError> {
    let (stream_id, id) = (&changeset.stream_id, changeset.changeset_id);
    let place = params![stream_id.as_str(), id.as_i64()];
    let found = optional(connection, INDEXED, place, |row| number(row, 0))?;
    if found == changeset.checkpoint {
        return Ok(());
    }
    let position = changeset.checkpoint.unwrap_or(Checkpoint::FIRST);
    Err(StorageError::Corrupt(match found {
        None => format!(
            "the index does not find changeset {id} of stream `{stream_id}`, at checkpoint {position}"
        ),
        Some(found) => format!(
            "the index finds changeset {id} of stream `{stream_id}` at checkpoint {found}, and it is at \
             checkpoint {position}"
        ),
    }))
}
