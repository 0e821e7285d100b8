//! Opens the file, and checks that it is an event store, has the current schema, and is durable.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ees_core::StorageError;
use rusqlite::{Connection, OpenFlags};

use crate::OpenError;
use crate::beside::{LOG, beside, private};
use crate::error::{is_full, is_not_a_database, needs_rollback, open_error, unreadable};
use crate::migrations::{check_known, is_newest, migrate};
use crate::lock::WriterLock;
use crate::remembered::{Memory, Remembered};
use crate::{identity, lost, state};

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

/// The only connection that writes.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    /// Whether [`prepare`] succeeded. Nothing is written before.
    pub(crate) is_prepared: bool,
}

/// Opens the only connection that writes, and prepares the file. Creates the file if it is missing.
///
/// On a full disk the file may not be prepared now. A store with the current schema is then opened for
/// reading, and prepared before the first write.
///
/// A file that has lost commits which its lock remembers is refused.
pub(crate) fn open_writer(path: &Path, lock: &WriterLock) -> Result<Opened, OpenError> {
    check_remembered(path, &lock.found)?;
    let mut connection = open_file(path)?;
    let is_prepared = match prepare(path, &mut connection) {
        Ok(()) => {
            remember(&connection, &lock.memory).map_err(|error| unreadable(path, error))?;
            true
        }
        Err(OpenError::Full { .. }) if is_current(path) => false,
        Err(error) => return Err(error),
    };
    Ok(Opened {
        connection,
        is_prepared,
    })
}

/// Opens a connection that can write.
pub(crate) fn open_file(path: &Path) -> Result<Connection, OpenError> {
    if is_there(path) {
        check_ours(path)?;
        check_log(path)?;
    } else {
        let made = private().write(true).create(true).truncate(false).open(path);
        made.map_err(|error| OpenError::NotWritable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
    }
    let connection = open(path, READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE);
    connection.map_err(|error| open_error(path, error))
}

/// Notes in the lock file which store it is, and where it ends.
fn remember(connection: &Connection, memory: &Memory) -> Result<(), StorageError> {
    if let Some(stored) = identity::load(connection)? {
        memory.store(stored.id);
    }
    memory.end(state::end(connection)?);
    Ok(())
}

fn is_there(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

/// Compares the file with what its lock remembers. A copy that was put in its place is another store.
fn check_remembered(path: &Path, remembered: &Remembered) -> Result<(), OpenError> {
    if !path.exists() {
        return lost::check_blank(path, remembered, "is missing");
    }
    if !is_there(path) {
        return lost::check_blank(path, remembered, "is empty");
    }
    check_ours(path)?;
    if is_copy(path) {
        return Ok(());
    }
    let opened = open_to_read(path).map_err(|error| open_error(path, error))?;
    let (Reader::Lasting(connection) | Reader::Immutable(connection)) = opened;
    lost::check_end(path, &connection, remembered)
}

/// Opens a connection that can write to an existing store, beside the process that serves it. Its writes
/// are as durable as those of that process.
pub(crate) fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error| open_error(path, error);
    check_ours(path)?;
    check_log(path)?;
    let connection = open(path, READ_WRITE).map_err(failed)?;
    check_known(path, &connection)?;
    if !is_newest(&connection).map_err(failed)? {
        return Err(OpenError::Older(path.to_owned()));
    }
    let durable = "PRAGMA synchronous = FULL; PRAGMA fullfsync = 1";
    connection.execute_batch(durable).map_err(failed)?;
    Ok(connection)
}

/// Checks that a file can be read as it is, beside the process that may serve it.
pub(crate) fn check_readable(path: &Path) -> Result<(), OpenError> {
    let failed = |error| open_error(path, error);
    if !path.exists() {
        return Err(OpenError::Missing(path.to_owned()));
    }
    check_ours(path)?;
    check_log(path)?;
    let (Reader::Lasting(connection) | Reader::Immutable(connection)) =
        open_to_read(path).map_err(failed)?;
    check_known(path, &connection)?;
    if is_newest(&connection).map_err(failed)? {
        return Ok(());
    }
    Err(OpenError::Older(path.to_owned()))
}

/// Prepares the file for writing: its settings, its log, its schema and, if it is a copy, a new
/// identity.
pub(crate) fn prepare(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let failed = |error| open_error(path, error);
    let is_copy = is_copy(path);
    configure(connection).map_err(failed)?;
    write_back(connection).map_err(failed)?;
    if !has_log(path) {
        lost::check_length(path)?;
    }
    mark(connection).map_err(failed)?;
    migrate(path, connection)?;
    assert_durable(path, connection)?;
    state::check_last(connection).map_err(|error| unreadable(path, error))?;
    if is_copy {
        identity::renew(connection).map_err(|error| unreadable(path, error))?;
    }
    // The file of a new store has everything, even if its log is lost.
    fold(connection).map_err(failed)
}

/// Whether the file is a copy that `VACUUM INTO` made, as a backup does, and that was never opened for
/// writing: its header says that it has no write-ahead log
/// (<https://sqlite.org/fileformat2.html#file_format_version_numbers>).
fn is_copy(path: &Path) -> bool {
    let mut header = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.ends_with(&[1, 1])
}

/// Refuses a copy that was put in place of a store whose write-ahead log was left beside it. SQLite
/// would write the log into the copy.
fn check_log(path: &Path) -> Result<(), OpenError> {
    if has_log(path) {
        return match is_copy(path) {
            true => Err(OpenError::ForeignLog(path.to_owned())),
            false => Ok(()),
        };
    }
    // What a killed process left half made has a journal, which tells how it was.
    if beside(path, "-journal").exists() {
        return Ok(());
    }
    lost::check_length(path)
}

/// Whether the schema is the current one, so that the file can be read as it is.
fn is_current(path: &Path) -> bool {
    let current = open_to_read(path).and_then(|reader| match reader {
        Reader::Lasting(connection) | Reader::Immutable(connection) => is_newest(&connection),
    });
    current.unwrap_or(false)
}

/// A connection that only reads.
pub(crate) enum Reader {
    /// It sees every commit.
    Lasting(Connection),
    /// It sees the file as it is. It must be closed before anybody writes to the file.
    Immutable(Connection),
}

/// Opens a connection that only reads. On a full disk the index of the log cannot be made. If there is
/// no log, the file holds everything, and is read as one that nobody changes.
pub(crate) fn open_to_read(path: &Path) -> rusqlite::Result<Reader> {
    let opened = open_reader(path).and_then(|connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    });
    match opened {
        Err(error) if is_full(&error) && !has_log(path) => {
            open_immutable(path).map(Reader::Immutable)
        }
        opened => opened.map(Reader::Lasting),
    }
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(beside(path, LOG)).is_ok_and(|log| log.len() > 0)
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

/// Writes the log that a process left into the file, flushes the file, and empties the log. The old log
/// may show what the disk has lost in a failed flush.
///
/// A reader that another program began before the process ended can prevent this. The log then stays.
fn write_back(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Writes what is in the log into the file as well, as far as no reader needs the file as it was.
pub(crate) fn fold(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

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
