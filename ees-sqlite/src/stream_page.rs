//! Reads of a stream. Ids of changesets and events have no gap, so a page shows if the index has lost a
//! row.

use ees_core::adapter::PageBuilder;
use ees_core::{
    Changeset, Direction, EventId, Page, StorageError, StreamId, StreamQuery, StreamRange,
};
use rusqlite::{Connection, params};

use crate::error::translate;
use crate::event_search::changeset_of;
use crate::reads::{head, rows_of, snapshot};
use crate::rows::{changeset, columns};

/// Selects ?4 changesets at most.
macro_rules! select {
    ($range:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM changesets WHERE stream_id = ?1 AND ",
            $range,
            " LIMIT ?4"
        )
    };
}

/// The statement of a stream read, of the changesets from ?2 to ?3. Forwards the limit ends it, so that
/// a row behind one that the index has lost is seen.
pub(crate) const fn of_stream(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => select!("changeset_id >= ?2 AND ?3 > 0 ORDER BY changeset_id"),
        Direction::Backward => {
            select!("changeset_id BETWEEN ?2 AND ?3 ORDER BY changeset_id DESC")
        }
    }
}

pub(crate) fn stream(
    connection: &Connection,
    query: &StreamQuery,
) -> Result<Page<Changeset>, StorageError> {
    snapshot(connection, |connection| {
        match changesets(connection, query)? {
            Some((from, to)) if from.max(1) <= to => read(connection, query, from.max(1), to),
            _ => Ok(PageBuilder::new(query.limit).finish()),
        }
    })
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

/// Reads the page of a range, which begins with 1 or later. A damaged row ends a page: the read of the
/// next page fails.
fn read(
    connection: &Connection,
    query: &StreamQuery,
    from: i64,
    to: i64,
) -> Result<Page<Changeset>, StorageError> {
    let statement = connection.prepare_cached(of_stream(query.direction));
    let mut statement = statement.map_err(translate)?;
    let most = rows_of(query.limit).min((to - from).saturating_add(1));
    let params = params![query.stream_id.as_str(), from, to, most];
    let mut rows = statement.query(params).map_err(translate)?;
    let mut page = PageBuilder::new(query.limit);
    let mut walk = Walk::new(query, from, to);
    while let Some(row) = rows.next().map_err(translate)? {
        let found = match changeset(row) {
            Err(StorageError::Corrupt(_)) if !page.is_empty() => {
                page.more_remains();
                break;
            }
            found => found?,
        };
        walk.step(connection, &found)?;
        if !page.push_changeset(found) {
            break;
        }
    }
    let page = page.finish();
    if !page.more {
        walk.end(connection)?;
    }
    Ok(page)
}

/// The rows of a page, one after the other.
struct Walk<'q> {
    stream_id: &'q StreamId,
    direction: Direction,
    from: i64,
    to: i64,
    /// The ids of the row before: its own, and those of its first and last event.
    before: Option<[i64; 3]>,
}

impl<'q> Walk<'q> {
    fn new(query: &'q StreamQuery, from: i64, to: i64) -> Self {
        Self {
            stream_id: &query.stream_id,
            direction: query.direction,
            from,
            to,
            before: None,
        }
    }

    /// Checks that a row follows the one before.
    fn step(&mut self, connection: &Connection, found: &Changeset) -> Result<(), StorageError> {
        let id = found.changeset_id.as_i64();
        let events = [found.first_event_id, found.last_event_id].map(EventId::as_i64);
        let follows = match (self.before, self.direction) {
            (None, Direction::Forward) => id == self.from,
            (None, Direction::Backward) => id == self.to || self.is_head(connection, id)?,
            (Some([before, _, last]), Direction::Forward) => {
                id == before + 1 && events[0] == last + 1
            }
            (Some([before, first, _]), Direction::Backward) => {
                id == before - 1 && events[1] == first - 1
            }
        };
        if !follows {
            return Err(self.gap());
        }
        self.before = Some([id, events[0], events[1]]);
        Ok(())
    }

    /// Checks that no row is missing behind the last one.
    fn end(&self, connection: &Connection) -> Result<(), StorageError> {
        let is_whole = match (self.before, self.direction) {
            (None, _) => {
                let head = head(connection, self.stream_id)?;
                head.is_none_or(|head| head.last_changeset.as_i64() < self.from)
            }
            (Some(_), Direction::Forward) => true,
            (Some([last, ..]), Direction::Backward) => last == self.from,
        };
        if is_whole { Ok(()) } else { Err(self.gap()) }
    }

    /// Whether a stream ends with a changeset.
    fn is_head(&self, connection: &Connection, id: i64) -> Result<bool, StorageError> {
        let head = head(connection, self.stream_id)?;
        Ok(head.is_some_and(|head| head.last_changeset.as_i64() == id))
    }

    fn gap(&self) -> StorageError {
        let stream_id = self.stream_id;
        let place = match (self.before, self.direction) {
            (Some([last, ..]), Direction::Forward) => format!("after changeset {last}"),
            (Some([last, ..]), Direction::Backward) => format!("before changeset {last}"),
            (None, _) => format!("among the changesets {} to {}", self.from, self.to),
        };
        StorageError::Corrupt(format!(
            "a changeset of stream `{stream_id}` is missing {place}, or its index is damaged"
        ))
    }
}
