//! The queries of heads and of the global order, on any connection.

use ees_core::adapter::PageBuilder;
use ees_core::{Changeset, Checkpoint, GlobalPage, Head, Page, PageLimit, StorageError, StreamId};
use rusqlite::{Connection, Params};

use crate::error::translate;
use crate::rows::{
    changeset, columns, number, one, optional, outline, outline_columns, time, valid,
};
use crate::{state, voids};

pub(crate) const HEAD: &str = concat!(
    "SELECT ",
    outline_columns!(),
    " FROM changesets WHERE stream_id = ?1 ORDER BY changeset_id DESC LIMIT 1"
);

pub(crate) const LAST_ROW: &str = "SELECT coalesce(max(checkpoint) + 1, 0) FROM changesets";

pub(crate) const GLOBAL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM changesets WHERE checkpoint >= ?1 ORDER BY checkpoint LIMIT ?2"
);

/// Reads from one snapshot of the file.
pub(crate) fn snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    run(connection, "BEGIN")?;
    let read = read(connection);
    // A transaction that only reads has nothing that could fail, and some errors have ended it.
    let ended = if connection.is_autocommit() {
        Ok(())
    } else {
        run(connection, "COMMIT")
    };
    read.and_then(|read| ended.map(|()| read))
}

fn run(connection: &Connection, statement: &str) -> Result<(), StorageError> {
    let mut statement = connection.prepare_cached(statement).map_err(translate)?;
    statement.execute([]).map(drop).map_err(translate)
}

pub(crate) fn head(
    connection: &Connection,
    stream_id: &StreamId,
) -> Result<Option<Head>, StorageError> {
    optional(connection, HEAD, [stream_id.as_str()], |row| {
        let last = outline(row)?;
        Ok(Head {
            last_changeset: valid(last.changeset_id)?,
            last_event: valid(last.last_event_id)?,
            last_timestamp: time(last.timestamp)?,
        })
    })
}

/// The position after the last row, whatever the store keeps of it: of files that may be damaged, or
/// that an older version made.
pub(crate) fn end_of_rows(connection: &Connection) -> Result<Checkpoint, StorageError> {
    one(connection, LAST_ROW, [], |row| number(row, 0))
}

pub(crate) fn global(
    connection: &Connection,
    from: Checkpoint,
    limit: PageLimit,
) -> Result<GlobalPage, StorageError> {
    snapshot(connection, |connection| {
        let params = [from.as_i64(), rows_of(limit)];
        let page = fill(connection, GLOBAL, params, limit)?;
        if page.items.is_empty() {
            check_end(connection, from)?;
        }
        voids::page(connection, from, page.items)
    })
}

/// Checks that the order ends at a position from which no row was found.
pub(crate) fn check_end(connection: &Connection, from: Checkpoint) -> Result<(), StorageError> {
    let end = state::kept_end(connection)?;
    if from < end {
        return Err(GlobalPage::hole(
            from,
            &format!("nothing of the changesets below {end}"),
        ));
    }
    Ok(())
}

/// One row more than a page holds at most, which tells whether more rows remain.
pub(crate) fn rows_of(limit: PageLimit) -> i64 {
    i64::try_from(limit.max_items()).map_or(i64::MAX, |rows| rows.saturating_add(1))
}

/// Reads rows until the page is full. A damaged row ends a page: the read that begins with it fails.
fn fill(
    connection: &Connection,
    statement: &str,
    params: impl Params,
    limit: PageLimit,
) -> Result<Page<Changeset>, StorageError> {
    let mut statement = connection.prepare_cached(statement).map_err(translate)?;
    let mut rows = statement.query(params).map_err(translate)?;
    let mut page = PageBuilder::new(limit);
    while let Some(row) = rows.next().map_err(translate)? {
        match changeset(row) {
            Err(StorageError::Corrupt(_)) if !page.is_empty() => break,
            found => {
                if !page.push_changeset(found?) {
                    break;
                }
            }
        }
    }
    Ok(page.finish())
}
