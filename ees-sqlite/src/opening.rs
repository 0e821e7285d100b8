//! Opens the file, and checks that it is an event store, has the current schema, and is durable.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::OpenError;
use crate::error::{is_not_a_database, needs_rollback, open_error};
use crate::migrations::migrate;

/// The application id that marks a SQLite file as an event store: "EES1".
const APPLICATION_ID: i32 = 0x4545_5331;

/// The size of the header of a SQLite file:
/// <https://sqlite.org/fileformat2.html#the_database_header>.
const HEADER_BYTES: u64 = 100;

const NO_DATABASE: &str = "it is not a SQLite database";

/// How long to wait for a lock of another program.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const READ_ONLY: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
const READ_WRITE: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

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

/// Opens the only connection that writes, and migrates the schema. Creates the file if it is
/// missing.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        check_ours(path)?;
    }
    let failed = |error| open_error(path, error);
    let mut connection = open(path, READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).map_err(failed)?;
    configure(&connection).map_err(failed)?;
    renew_log(&connection).map_err(failed)?;
    migrate(path, &mut connection)?;
    assert_durable(path, &connection)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    open(path, READ_ONLY)
}

/// Opens a file that nobody changes. SQLite then makes no files beside it.
pub(crate) fn open_immutable(path: &Path) -> rusqlite::Result<Connection> {
    let name = path.as_os_str().as_encoded_bytes();
    let name = percent_encoding::percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    let uri = format!("file:{name}?immutable=1");
    open(Path::new(&uri), READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, value) in SETTINGS {
        connection.execute_batch(&format!("PRAGMA {setting} = {value}"))?;
    }
    Ok(())
}

/// Writes the log that a process left into the file, flushes the file, and begins a new log with a
/// transaction of its own. The old log may show what the disk has lost in a failed flush.
///
/// A reader that another program began before the process ended can prevent this. The log then stays.
fn renew_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    mark(connection)
}

/// Writes the application id into the header of the file, also if it is there already.
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
    let found = match marks(path, READ_ONLY) {
        // A killed process left a rollback journal, and only a connection that can write rolls it
        // back.
        Err(error) if needs_rollback(&error) => marks(path, READ_WRITE),
        found => found,
    };
    let (application_id, tables) = found.map_err(failed)?;
    match (application_id, tables) {
        (APPLICATION_ID, _) | (0, 0) => Ok(()),
        _ => Err(not_ours("it is a SQLite database of another program")),
    }
}

/// The application id, and the number of tables, indexes, views and triggers.
fn marks(path: &Path, flags: OpenFlags) -> rusqlite::Result<(i32, i64)> {
    let connection = open(path, flags)?;
    let marks = "SELECT (SELECT * FROM pragma_application_id), count(*) FROM sqlite_schema";
    let marks = connection.query_row(marks, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let closed = connection.close().map_err(|(_, error)| error);
    closed.and(marks)
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
