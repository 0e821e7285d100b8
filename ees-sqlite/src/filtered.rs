//! Filtered reads of the global order. A scan of the small columns passes what the filter does not
//! select, and payloads are read only where it may select something.

use ees_core::adapter::{Look, PageBuilder};
use ees_core::{Checkpoint, Filter, GlobalPage, PageLimit, StorageError};
use rusqlite::Connection;

use crate::checksum::Outline;
use crate::error::translate;
use crate::reads::{check_end, snapshot};
use crate::rows::{changeset, columns, one, outline, outline_columns, valid};
use crate::voids;

/// Selects the columns that decide, from a checkpoint on.
pub(crate) const SCAN: &str = concat!(
    "SELECT ",
    outline_columns!(),
    " FROM changesets WHERE checkpoint >= ?1 ORDER BY checkpoint LIMIT ?2"
);

/// Selects one changeset.
pub(crate) const AT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM changesets WHERE checkpoint = ?1"
);

pub(crate) fn filtered(
    connection: &Connection,
    from: Checkpoint,
    limit: PageLimit,
    filter: &Filter,
) -> Result<GlobalPage, StorageError> {
    snapshot(connection, |connection| {
        let page = scan(connection, from, limit, filter)?;
        if page.next == from {
            check_end(connection, from)?;
        }
        Ok(page)
    })
}

fn scan(
    connection: &Connection,
    from: Checkpoint,
    limit: PageLimit,
    filter: &Filter,
) -> Result<GlobalPage, StorageError> {
    let mut scan = connection.prepare_cached(SCAN).map_err(translate)?;
    let most = i64::try_from(Look::MAX_CHANGESETS).unwrap_or(i64::MAX);
    let mut rows = scan.query([from.as_i64(), most]).map_err(translate)?;
    let mut look = Look::begin();
    let mut page = PageBuilder::new(limit);
    let mut next = from;
    while !page.is_full()
        && !look.is_over()
        && let Some(row) = rows.next().map_err(translate)?
    {
        // A damaged row ends a page: the read that begins with it fails.
        let outline = match outline(row) {
            Err(StorageError::Corrupt(_)) if next > from => break,
            outline => outline?,
        };
        let position = valid(outline.checkpoint)?;
        if position != next {
            next = voids::pass(connection, next)?;
            check_dense(position, next)?;
        }
        if may_select(filter, &outline) {
            let found = match one(connection, AT, [next.as_i64()], changeset) {
                Err(StorageError::Corrupt(_)) if next > from => break,
                found => found?,
            };
            look.read(&found);
            if filter.matches(&found) && !page.push_changeset(found) {
                break;
            }
        } else {
            look.pass(1);
        }
        next = next.plus(1);
    }
    Ok(GlobalPage {
        changesets: page.finish().items,
        next,
    })
}

/// Whether a filter may select a changeset, as far as the row of a scan shows.
fn may_select(filter: &Filter, row: &Outline<'_>) -> bool {
    let matches_types = |types| filter.matches_types(types);
    filter.matches_stream(row.stream_id) && row.event_types.is_none_or(matches_types)
}

fn check_dense(found: Checkpoint, expected: Checkpoint) -> Result<(), StorageError> {
    if found == expected {
        return Ok(());
    }
    Err(GlobalPage::hole(expected, &format!("checkpoint {found}")))
}
