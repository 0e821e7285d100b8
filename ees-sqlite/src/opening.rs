//! Opens the file, and checks that it is an event store, has the current schema, and is durable.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ees_core::StorageError;
use rusqlite::{Connection, OpenFlags};

use crate::OpenError;
use crate::beside::{beside, private};
use crate::connect::{READ_WRITE, Reader, has_log, open, open_to_read};
use crate::durable::{assert_durable, configure, fold, write_back};
use crate::error::{open_error, unreadable};
use crate::lock::WriterLock;
use crate::migrations::{check_known, is_newest, migrate};
use crate::ours::{check_ours, mark};
use crate::remembered::{Memory, Remembered};
use crate::{identity, lost, state};

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
        let made = private()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
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
    lost::check_log(path)?;
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
    // By this connection, which may have locks: whoever opens and closes the file ends the locks that
    // SQLite has in this process (<https://sqlite.org/howtocorrupt.html>, 2.2).
    let is_copy = !has_log_mode(connection).map_err(failed)?;
    configure(connection).map_err(failed)?;
    write_back(connection).map_err(failed)?;
    lost::check_pages(path, connection)?;
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

/// Whether the file of a connection is written through a write-ahead log.
fn has_log_mode(connection: &Connection) -> rusqlite::Result<bool> {
    connection.pragma_query_value(None, "journal_mode", |row| {
        row.get::<_, String>(0).map(|mode| mode == "wal")
    })
}

/// Refuses a copy that was put in place of a store whose write-ahead log was left beside it. SQLite
/// would write the log into the copy.
fn check_log(path: &Path) -> Result<(), OpenError> {
    if has_log(path) {
        if is_copy(path) {
            return Err(OpenError::ForeignLog(path.to_owned()));
        }
        return Ok(());
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
