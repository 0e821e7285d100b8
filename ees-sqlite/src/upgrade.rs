//! Gives the rows of an older file their checksums.
//!
//! Before anything is changed, the whole file is checked: a damaged file stays as it is, and the older
//! version still opens it. Then each transaction gives a slice of the rows their checksums, and keeps how
//! far it has come. An upgrade that is interrupted goes on at the next start.

use std::time::{Duration, Instant};

use ees_core::{Checkpoint, Events, Json, StorageError};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::checksum::Outline;
use crate::error::translate;
use crate::rows::{changeset_of, columns, columns_of, optional, optional_integer, text, valid};
use crate::{state, voids};

/// How many rows a transaction changes at most, and how many bytes of payload it reads before it ends.
const SLICE: Slice = Slice {
    rows: 2000,
    bytes: 8 * 1024 * 1024,
};

/// How often the log tells how far it is.
const TELL: Duration = Duration::from_secs(5);

/// The columns that all versions have.
const OLD_ROWS: &str = "
    SELECT checkpoint, stream_id, changeset_id, first_event_id, last_event_id, timestamp, commit_id,
           NULL, NULL, NULL, metadata, events
    FROM changesets WHERE checkpoint >= ?1 ORDER BY checkpoint LIMIT ?2";

const ROWS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM changesets WHERE checkpoint >= ?1 AND checkpoint < ?2 ORDER BY checkpoint LIMIT ?3"
);

const LAST_EVENT: &str =
    "SELECT last_event_id FROM changesets WHERE stream_id = ?1 AND changeset_id = ?2";

const GIVE: &str = "UPDATE changesets SET checksum = ?1 WHERE checkpoint = ?2";

#[derive(Debug, Clone, Copy)]
struct Slice {
    rows: usize,
    bytes: usize,
}

impl Slice {
    fn rows(self) -> i64 {
        i64::try_from(self.rows).unwrap_or(i64::MAX)
    }
}

/// Checks a file of an older version: its pages, its indexes, and each row.
///
/// # Errors
/// [`StorageError::Corrupt`] names what is damaged.
pub(crate) fn check(connection: &Connection) -> Result<(), StorageError> {
    check_pages(connection)?;
    let end = crate::reads::end_of_rows(connection)?;
    let has_voids = "SELECT 1 FROM sqlite_schema WHERE name = 'void_positions'";
    let has_voids = optional(connection, has_voids, [], |_| Ok(()))?.is_some();
    let mut progress = Progress::of("checked", end);
    let mut next = Checkpoint::FIRST;
    while next < end {
        next = check_slice(connection, next, has_voids)?;
        progress.reached(next);
    }
    Ok(())
}

/// Checks the pages and the indexes of a file.
///
/// # Errors
/// [`StorageError::Corrupt`] has the first finding of SQLite.
pub(crate) fn check_pages(connection: &Connection) -> Result<(), StorageError> {
    let finding = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
    match finding.map_err(translate)? {
        ok if ok == "ok" => Ok(()),
        finding => Err(StorageError::Corrupt(finding)),
    }
}

fn check_slice(
    connection: &Connection,
    from: Checkpoint,
    has_voids: bool,
) -> Result<Checkpoint, StorageError> {
    let mut statement = connection.prepare_cached(OLD_ROWS).map_err(translate)?;
    let rows = statement.query([from.as_i64(), SLICE.rows()]);
    let mut rows = rows.map_err(translate)?;
    let mut next = from;
    while let Some(row) = rows.next().map_err(translate)? {
        let outline = columns_of(row)?;
        let found: Checkpoint = valid(outline.checkpoint)?;
        if found != next && has_voids {
            next = voids::pass(connection, next)?;
        }
        if found != next {
            return Err(ees_core::GlobalPage::hole(
                next,
                &format!("checkpoint {found}"),
            ));
        }
        check_row(connection, &outline, row)?;
        next = next.plus(1);
    }
    Ok(next)
}

/// Checks that a row is a changeset, with payloads that are JSON, and that it goes on from the changeset
/// before it in its stream.
fn check_row(
    connection: &Connection,
    outline: &Outline<'_>,
    row: &Row<'_>,
) -> Result<(), StorageError> {
    let (metadata, events) = (text(row, 10)?, text(row, 11)?);
    let wrong = |what: &dyn std::fmt::Display| {
        let (position, stream) = (outline.checkpoint, outline.stream_id);
        StorageError::Corrupt(format!(
            "checkpoint {position}, of stream `{stream}`: {what}"
        ))
    };
    let changeset = changeset_of(outline, metadata, events)?;
    Json::parse(metadata).map_err(|error| wrong(&error))?;
    let events = Events::parse(events).map_err(|error| wrong(&error))?;
    if events.count() != changeset.events.count() {
        return Err(wrong(&"it has not as many events as ids"));
    }
    let before = outline.changeset_id - 1;
    let event = if before == 0 {
        Some(0)
    } else {
        let place = params![outline.stream_id, before];
        optional(connection, LAST_EVENT, place, |row| {
            row.get::<_, i64>(0).map_err(translate)
        })?
    };
    if event == Some(outline.first_event_id - 1) {
        return Ok(());
    }
    Err(wrong(
        &"it does not follow the changeset before it in its stream",
    ))
}

/// Gives the rows of older versions their checksums, from where an earlier start has come to.
///
/// # Errors
/// [`StorageError`] if a row is damaged, or if the file cannot be written. What is done stays.
pub(crate) fn finish(connection: &mut Connection) -> Result<(), StorageError> {
    let upgrade = state::upgrade(connection)?;
    if upgrade.is_finished() {
        return Ok(());
    }
    let mut progress = Progress::of("upgraded", upgrade.dated_from);
    loop {
        let reached = give_slice(connection, SLICE)?;
        progress.reached(reached);
        if reached >= upgrade.dated_from {
            return Ok(());
        }
    }
}

/// Gives a slice of the rows their checksums, in one transaction. Returns how far all have them.
fn give_slice(connection: &mut Connection, slice: Slice) -> Result<Checkpoint, StorageError> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate);
    let transaction = transaction.map_err(translate)?;
    let upgrade = state::upgrade(&transaction)?;
    let (given, reached) = checksums(&transaction, upgrade, slice)?;
    for (position, checksum) in given {
        let mut statement = transaction.prepare_cached(GIVE).map_err(translate)?;
        statement.execute([checksum, position]).map_err(translate)?;
    }
    if reached < upgrade.dated_from {
        state::upgraded_to(&transaction, reached).map_err(translate)?;
    } else {
        state::end_upgrade(&transaction).map_err(translate)?;
    }
    transaction.commit().map_err(translate)?;
    Ok(reached)
}

/// The positions of a slice that have no checksum yet, with theirs, and the end of the slice.
fn checksums(
    connection: &Connection,
    upgrade: state::Upgrade,
    slice: Slice,
) -> Result<(Vec<(i64, i64)>, Checkpoint), StorageError> {
    let mut statement = connection.prepare_cached(ROWS).map_err(translate)?;
    let range = [upgrade.upgraded_to, upgrade.dated_from].map(Checkpoint::as_i64);
    let rows = statement.query(params![range[0], range[1], slice.rows()]);
    let mut rows = rows.map_err(translate)?;
    let (mut given, mut reached, mut bytes) = (Vec::new(), upgrade.upgraded_to, 0);
    while bytes < slice.bytes {
        let Some(row) = rows.next().map_err(translate)? else {
            if given.len() < slice.rows {
                reached = upgrade.dated_from;
            }
            break;
        };
        let outline = columns_of(row)?;
        let (metadata, events) = (text(row, 10)?, text(row, 11)?);
        if optional_integer(row, 9)?.is_some() {
            return Err(StorageError::Corrupt(format!(
                "checkpoint {} has a checksum before the upgrade has come to it",
                outline.checkpoint
            )));
        }
        bytes += metadata.len() + events.len();
        given.push((outline.checkpoint, outline.checksum(metadata, events)));
        reached = valid::<Checkpoint>(outline.checkpoint)?.plus(1);
    }
    Ok((given, reached))
}

/// Tells in the log how far it is.
struct Progress {
    what: &'static str,
    end: Checkpoint,
    told: Instant,
}

impl Progress {
    fn of(what: &'static str, end: Checkpoint) -> Self {
        let told = Instant::now();
        Self { what, end, told }
    }

    fn reached(&mut self, position: Checkpoint) {
        let (what, end) = (self.what, self.end);
        if position >= end || self.told.elapsed() >= TELL {
            tracing::info!("upgrade of the file: {what} {position} of {end} changesets");
            self.told = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests;
