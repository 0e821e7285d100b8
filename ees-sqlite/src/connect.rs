//! Opens connections to a file that is there.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::beside::{LOG, beside};
use crate::error::is_full;

/// How long to wait for a lock of another program.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) const READ_ONLY: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

pub(crate) const READ_WRITE: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

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

pub(crate) fn has_log(path: &Path) -> bool {
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

pub(crate) fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}
