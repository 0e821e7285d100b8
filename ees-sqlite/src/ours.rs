//! Whether a file is an event store, and the mark in its header that says so.

use std::path::Path;

use rusqlite::Connection;

use crate::OpenError;
use crate::connect::{READ_ONLY, READ_WRITE, has_log, open, open_immutable};
use crate::error::{is_full, is_not_a_database, needs_rollback, open_error};

/// The application id that marks a SQLite file as an event store: "EES1".
const APPLICATION_ID: i32 = 0x4545_5331;

/// The size of the header of a SQLite file:
/// <https://sqlite.org/fileformat2.html#the_database_header>.
const HEADER_BYTES: u64 = 100;

const NO_DATABASE: &str = "it is not a SQLite database";

/// Writes the application id into the header of the file, also if it is there already. It begins a new
/// log with a transaction of its own.
pub(crate) fn mark(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))
}

/// Refuses a file of another program, before the store writes to it.
pub(crate) fn check_ours(path: &Path) -> Result<(), OpenError> {
    let not_ours = |found| OpenError::NotOurs {
        path: path.to_owned(),
        found,
    };
    // SQLite treats a file that is shorter than its header as an empty database.
    if std::fs::metadata(path).is_ok_and(|file| file.len() < HEADER_BYTES) {
        return Err(not_ours(NO_DATABASE));
    }
    let failed = |error: rusqlite::Error| {
        if is_not_a_database(&error) {
            not_ours(NO_DATABASE)
        } else {
            open_error(path, error)
        }
    };
    let found = match marks(open(path, READ_ONLY)) {
        // A killed process left a rollback journal, and only a connection that can write rolls it
        // back.
        Err(error) if needs_rollback(&error) => marks(open(path, READ_WRITE)),
        // On a full disk the index of the log cannot be made.
        Err(error) if is_full(&error) && !has_log(path) => marks(open_immutable(path)),
        found => found,
    };
    let (application_id, tables) = found.map_err(failed)?;
    match (application_id, tables) {
        (APPLICATION_ID, _) | (0, 0) => Ok(()),
        _ => Err(not_ours("it is a SQLite database of another program")),
    }
}

/// The application id, and the number of tables, indexes, views and triggers.
fn marks(connection: rusqlite::Result<Connection>) -> rusqlite::Result<(i32, i64)> {
    let connection = connection?;
    let marks = "SELECT (SELECT * FROM pragma_application_id), count(*) FROM sqlite_schema";
    let marks = connection.query_row(marks, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let closed = connection.close().map_err(|(_, error)| error);
    closed.and(marks)
}
