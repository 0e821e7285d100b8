//! The queries of streams and of the global order, on any connection.

use ees_core::adapter::PageBuilder;
use ees_core::{
    Changeset, Checkpoint, Direction, GlobalPage, Head, Page, PageLimit, StorageError, StreamId,
    StreamQuery, StreamRange,
};
use rusqlite::{Connection, Params, params};

use crate::error::translate;
use crate::event_search::changeset_of;
use crate::rows::{changeset, columns, number, one, optional, timestamp};
use crate::voids;

pub(crate) const HEAD: &str = "
    SELECT changeset_id, last_event_id, timestamp FROM changesets
    WHERE stream_id = ?1 ORDER BY changeset_id DESC LIMIT 1";

pub(crate) const NEXT_CHECKPOINT: &str = "SELECT coalesce(max(checkpoint) + 1, 0) FROM changesets";

pub(crate) const GLOBAL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM changesets WHERE checkpoint >= ?1 ORDER BY checkpoint LIMIT ?2"
);

/// Selects the changesets with ids from ?2 to ?3.
macro_rules! by_changeset {
    ($order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM changesets WHERE stream_id = ?1 AND changeset_id BETWEEN ?2 AND ?3
             ORDER BY changeset_id ",
            $order,
            " LIMIT ?4"
        )
    };
}

/// The statement of a stream read.
pub(crate) const fn of_stream(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => by_changeset!("ASC"),
        Direction::Backward => by_changeset!("DESC"),
    }
}

pub(crate) fn head(
    connection: &Connection,
    stream_id: &StreamId,
) -> Result<Option<Head>, StorageError> {
    optional(connection, HEAD, [stream_id.as_str()], |row| {
        Ok(Head {
            last_changeset: number(row, 0)?,
            last_event: number(row, 1)?,
            last_timestamp: timestamp(row, 2)?,
        })
    })
}

pub(crate) fn next_checkpoint(connection: &Connection) -> Result<Checkpoint, StorageError> {
    one(connection, NEXT_CHECKPOINT, [], |row| number(row, 0))
}

pub(crate) fn stream(
    connection: &Connection,
    query: &StreamQuery,
) -> Result<Page<Changeset>, StorageError> {
    let Some((from, to)) = changesets(connection, query)? else {
        return Ok(PageBuilder::new(query.limit).finish());
    };
    let limit = rows_of(query.limit);
    let params = params![query.stream_id.as_str(), from, to, limit];
    fill(connection, of_stream(query.direction), params, query.limit)
}

/// The ids of the first and the last changeset of a range, as far as the stream goes.
fn changesets(
    connection: &Connection,
    query: &StreamQuery,
) -> Result<Option<(i64, i64)>, StorageError> {
    let (from, to) = query.range.signed_bounds();
    if matches!(query.range, StreamRange::Changesets(_)) {
        return Ok(Some((from, to)));
    }
    if to < 1 {
        return Ok(None);
    }
    let Some(first) = changeset_of(connection, &query.stream_id, from)? else {
        return Ok(None);
    };
    let last = changeset_of(connection, &query.stream_id, to)?;
    Ok(Some((first, last.unwrap_or(i64::MAX))))
}

pub(crate) fn global(
    connection: &Connection,
    from: Checkpoint,
    limit: PageLimit,
) -> Result<GlobalPage, StorageError> {
    let params = [from.as_i64(), rows_of(limit)];
    let page = fill(connection, GLOBAL, params, limit)?;
    voids::page(connection, from, page.items)
}

/// One row more than a page holds at most, which tells whether more rows remain.
fn rows_of(limit: PageLimit) -> i64 {
    i64::try_from(limit.max_items()).map_or(i64::MAX, |rows| rows.saturating_add(1))
}

/// Reads rows until the page is full.
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
        if !page.push_changeset(changeset(row)?) {
            break;
        }
    }
    Ok(page.finish())
}
