//! What SQLite says, in the words of the storage port.

use std::path::PathBuf;
use std::sync::Arc;

use ees_core::{StorageError, Written};

/// SQLite's result codes that mean something to us: <https://sqlite.org/rescode.html>.
mod code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const NOTADB: u32 = 26;
    pub(super) const READONLY_ROLLBACK: u32 = 776;
}

/// The file could not be opened as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process writes to the file.
    #[error("`{}` is in use by another process{}: only one may write to it. Stop that one, or choose another file", path.display(), pid.map(|pid| format!(" (process id {pid})")).unwrap_or_default())]
    InUse {
        /// The file.
        path: PathBuf,
        /// The process, where it could be told.
        pid: Option<u32>,
    },
    /// The file has several names, and SQLite keeps a write-ahead log for each.
    #[error("`{}` is one of {links} names (hard links) of its file: servers on two of them would lose each other's changesets. Remove the other names; to copy a store use `ees backup`", path.display())]
    ManyNames {
        /// The file.
        path: PathBuf,
        /// How many names.
        links: u64,
    },
    /// There is no such file.
    #[error("`{}` does not exist; name the file of a store", .0.display())]
    Missing(PathBuf),
    /// The file holds something else.
    #[error("`{}` is not an event store: {found}. It was left as it is; choose another file", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What was found.
        found: &'static str,
    },
    /// The file was written by a newer version.
    #[error("`{}` has schema version {found}, this program knows versions up to {known}: it was written by a newer version. Use that one, or a file of its own", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The file or its folder cannot be read or written.
    #[error("`{}` cannot be opened for writing: {reason}. Check that its folder exists, that file and folder may be written, and that the disk is not full", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: String,
    },
    /// A setting that durability rests on did not take.
    #[error("`{}`: SQLite answered {setting}={found} where {expected} is needed to keep what is acknowledged; is this file system supported by SQLite's WAL mode?", path.display())]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// The setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// SQLite failed in another way.
    #[error("`{}` cannot be opened: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        r#source: sqlx::Error,
    },
}

/// The one place that translates the driver's errors.
pub(crate) fn translate(error: sqlx::Error) -> StorageError {
    let written = Written::None;
    match (&error, primary_code(&error)) {
        (sqlx::Error::PoolClosed, _) => StorageError::closed(),
        (sqlx::Error::PoolTimedOut, _) => unavailable("too many reads at once", written, error),
        (sqlx::Error::WorkerCrashed, _) => {
            unavailable("its connection was lost", Written::Unknown, error)
        }
        (_, Some(code::FULL)) => unavailable("the disk is full", written, error),
        (_, Some(code::BUSY | code::LOCKED)) => {
            unavailable("another program holds the file's lock", written, error)
        }
        (_, Some(code::READONLY)) => unavailable("the file cannot be written", written, error),
        (_, Some(code::IOERR | code::CANTOPEN)) => {
            unavailable("the file cannot be read or written", written, error)
        }
        (_, Some(code::CORRUPT | code::NOTADB | code::CONSTRAINT)) => {
            StorageError::Corrupt(error.to_string())
        }
        _ => StorageError::Backend(Arc::new(error)),
    }
}

/// What an error of COMMIT means. Where the file system refused to write the last frames nothing
/// was committed; after an I/O error, of the flush above all, the frames may be in the file, and a
/// crash would find them there.
pub(crate) fn translate_commit(error: sqlx::Error) -> StorageError {
    let certain = matches!(
        primary_code(&error),
        Some(code::FULL | code::BUSY | code::LOCKED | code::READONLY)
    );
    let translated = translate(error);
    if certain {
        translated
    } else {
        translated.after_a_try(Written::Unknown)
    }
}

/// The low byte of SQLite's extended result code.
pub(crate) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    Some(extended_code(error)? & 0xff)
}

fn extended_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Whether the file has a rollback journal, which a connection that only reads leaves to others.
pub(crate) fn needs_rollback(error: &sqlx::Error) -> bool {
    extended_code(error) == Some(code::READONLY_ROLLBACK)
}

/// Whether the file is no SQLite database at all.
pub(crate) fn is_not_a_database(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::NOTADB)
}

/// Whether the file system stands in the way.
pub(crate) fn is_not_writable(error: &sqlx::Error) -> bool {
    let codes = [code::READONLY, code::CANTOPEN, code::FULL, code::IOERR];
    primary_code(error).is_some_and(|code| codes.contains(&code))
}

fn unavailable(reason: &str, written: Written, error: sqlx::Error) -> StorageError {
    StorageError::Unavailable {
        reason: reason.to_owned(),
        written,
        retry_after: StorageError::RETRY_AFTER,
        source: Some(Arc::new(error)),
    }
}
