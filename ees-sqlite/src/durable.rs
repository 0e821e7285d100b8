//! The settings of the connection that writes, which make commits durable, and the write-ahead log.

use std::path::Path;

use rusqlite::Connection;

use crate::OpenError;
use crate::error::open_error;

/// The settings of the connection that writes, in this order.
const SETTINGS: &[(&str, &str)] = &[
    // A new file gets its mode in a transaction with a rollback journal. With EXTRA, a power cut
    // cannot bring the deleted journal back, which would roll back everything since.
    ("synchronous", "EXTRA"),
    ("journal_mode", "WAL"),
    ("synchronous", "FULL"),
    // Apple's fsync does not reach the disk. On other systems these settings change nothing.
    ("fullfsync", "1"),
    ("checkpoint_fullfsync", "1"),
    // Truncates the write-ahead log to 64 MiB after it has grown in a burst.
    ("journal_size_limit", "67108864"),
    ("cache_size", "-16384"),
    ("wal_autocheckpoint", "16384"),
];

pub(crate) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, value) in SETTINGS {
        connection.execute_batch(&format!("PRAGMA {setting} = {value}"))?;
    }
    Ok(())
}

/// Writes the log that a process left into the file, flushes the file, and empties the log. The old log
/// may show what the disk has lost in a failed flush.
///
/// A reader that another program began before the process ended can prevent this. The log then stays.
pub(crate) fn write_back(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Writes what is in the log into the file as well, as far as no reader needs the file as it was.
pub(crate) fn fold(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Reads back the settings that make SQLite flush, since killing a process cannot reveal a missing
/// fsync. With `synchronous=FULL` (2) in WAL mode each commit flushes the log
/// (<https://sqlite.org/pragma.html#pragma_synchronous>).
pub(crate) fn assert_durable(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let settings = "SELECT (SELECT * FROM pragma_journal_mode), CAST((SELECT * FROM pragma_synchronous) AS TEXT)";
    let settings = connection.query_row(settings, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let settings: rusqlite::Result<(String, String)> = settings;
    let (journal_mode, synchronous) = settings.map_err(|error| open_error(path, error))?;
    for (setting, found, expected) in [
        ("journal_mode", journal_mode, "wal"),
        ("synchronous", synchronous, "2"),
    ] {
        if found != expected {
            return Err(OpenError::NotDurable {
                path: path.to_owned(),
                setting,
                found,
                expected,
            });
        }
    }
    Ok(())
}
