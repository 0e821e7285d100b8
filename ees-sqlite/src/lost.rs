//! Finds out at the start whether the file has lost something: before anything is written, so that what
//! is there can still be put right.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ees_core::Checkpoint;
use rusqlite::Connection;

use crate::OpenError;
use crate::beside::{LOG, beside};
use crate::connect::has_log;
use crate::error::{open_error, unreadable};
use crate::log_frames::goes_on_behind_damage;
use crate::remembered::Remembered;
use crate::{identity, reads};

/// The part of the header that tells the length
/// (<https://sqlite.org/fileformat2.html#the_database_header>).
const HEADER_BYTES: usize = 96;

/// Compares a file that is missing or has nothing in it with what is remembered of it.
pub(crate) fn check_blank(
    path: &Path,
    remembered: &Remembered,
    found: &'static str,
) -> Result<(), OpenError> {
    match remembered.end {
        Some(end) if end > Checkpoint::FIRST => Err(OpenError::Lost {
            path: path.to_owned(),
            found: found.to_owned(),
            end,
        }),
        _ => Ok(()),
    }
}

/// Compares a store with what is remembered of it. Another store may be in its place.
pub(crate) fn check_end(
    path: &Path,
    connection: &Connection,
    remembered: &Remembered,
) -> Result<(), OpenError> {
    let failed = |error| unreadable(path, error);
    let has_identity =
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('identity', 'changesets')";
    let tables = connection.query_row(has_identity, [], |row| row.get(0));
    let tables: i64 = tables.map_err(|error| open_error(path, error))?;
    if tables == 0 {
        return check_blank(path, remembered, "is blank");
    }
    let stored = if tables == 2 {
        identity::load(connection).map_err(failed)?
    } else {
        None
    };
    let Some(end) = remembered.end else {
        return Ok(());
    };
    let found = reads::end_of_rows(connection).map_err(failed)?;
    // A store gets its identity after its file is made: it may have been in the log that is lost.
    let is_another = stored.is_some_and(|stored| remembered.store != Some(stored.id));
    if is_another || found >= end {
        return Ok(());
    }
    Err(OpenError::Lost {
        path: path.to_owned(),
        found: format!("has {found} changesets"),
        end,
    })
}

/// Refuses a log in which commits stand behind a damaged place: SQLite would drop them. Nobody may write
/// to it meanwhile.
pub(crate) fn check_log(path: &Path) -> Result<(), OpenError> {
    let log = beside(path, LOG);
    // A log that cannot be read is told by SQLite.
    if log.exists() && goes_on_behind_damage(&log).unwrap_or(false) {
        let finding = format!(
            "commits in `{}` stand behind a damaged place",
            log.display()
        );
        let path = path.to_owned();
        return Err(OpenError::Damaged { path, finding });
    }
    Ok(())
}

/// Compares the length of a file that has no log beside it with the length in its header. SQLite would
/// read zeros where the file ends early. This process must not have the file open otherwise.
pub(crate) fn check_length(path: &Path) -> Result<(), OpenError> {
    let unread = |error: io::Error| OpenError::NotWritable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut file = File::open(path).map_err(unread)?;
    let mut header = [0; HEADER_BYTES];
    if file.read_exact(&mut header).is_err() {
        return Ok(());
    }
    let found = file.metadata().map_err(unread)?.len();
    let expected = length(&header);
    if expected.is_none_or(|expected| found >= expected) {
        return Ok(());
    }
    let expected = expected.unwrap_or_default();
    let finding = format!("it has {found} bytes, and its header says {expected}");
    let path = path.to_owned();
    Err(OpenError::Damaged { path, finding })
}

/// Compares the length of an open file with its number of pages, once its log is empty. It opens no file:
/// closing that would end SQLite's locks of this process (<https://sqlite.org/howtocorrupt.html>, 2.2).
pub(crate) fn check_pages(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    if has_log(path) {
        return Ok(());
    }
    let pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let expected: i64 = connection
        .query_row(pages, [], |row| row.get(0))
        .map_err(|error| open_error(path, error))?;
    let found = std::fs::metadata(path).map_or(0, |file| file.len());
    if found >= expected.unsigned_abs() {
        return Ok(());
    }
    let finding = format!("it has {found} bytes, and its pages need {expected}");
    let path = path.to_owned();
    Err(OpenError::Damaged { path, finding })
}

/// The length that a header tells, if it is up to date.
fn length(header: &[u8; HEADER_BYTES]) -> Option<u64> {
    let number = |at: usize| {
        header[at..at + 4]
            .iter()
            .fold(0, |all, one| all << 8 | u64::from(*one))
    };
    let page = match u64::from(header[16]) << 8 | u64::from(header[17]) {
        1 => 65_536,
        page => page,
    };
    let is_current = number(24) == number(92);
    is_current.then(|| number(28) * page)
}
