//! Translates the errors of SQLite into the errors of the storage port.

use std::path::PathBuf;
use std::sync::Arc;

use ees_core::{StorageError, Written};

/// The result codes of SQLite that the translation uses: <https://sqlite.org/rescode.html>.
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
    #[error("`{}` is in use by another process{}, and only one process can write to it. Stop that process, or choose another file", path.display(), pid.map(|pid| format!(" (process id {pid})")).unwrap_or_default())]
    InUse {
        /// The file.
        path: PathBuf,
        /// The id of the process, if its lock file names one.
        pid: Option<u32>,
    },
    /// The file has several hard links. SQLite keeps a separate write-ahead log for each of them.
    #[error("`{}` is one of {links} hard links to its file, and servers that use different links would lose each other's changesets. Remove the other links; to copy a store, use `ees backup`", path.display())]
    ManyNames {
        /// The file.
        path: PathBuf,
        /// The number of hard links.
        links: u64,
    },
    /// The file does not exist.
    #[error("`{}` does not exist; name the file of a store", .0.display())]
    Missing(PathBuf),
    /// The file is not an event store.
    #[error("`{}` is not an event store: {found}. It was not changed; choose another file", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What was found.
        found: &'static str,
    },
    /// The file was written by a newer version.
    #[error("`{}` has schema version {found}, but this program knows versions up to {known}: a newer version of the program wrote it. Use that version, or another file", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema version of the file.
        found: i64,
        /// The newest schema version that this program knows.
        known: i64,
    },
    /// The file or its folder cannot be read or written.
    #[error("`{}` cannot be opened for writing: {reason}. Check that its folder exists, that the file and the folder are writable, and that the disk is not full", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system or of SQLite.
        reason: String,
    },
    /// SQLite did not accept a setting that durability (G4) needs.
    #[error("`{}`: SQLite reports {setting}={found}, but acknowledged changesets are durable only with {setting}={expected}. Check that SQLite's WAL mode supports this file system", path.display())]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// The setting.
        setting: &'static str,
        /// The value that SQLite reports.
        found: String,
        /// The required value.
        expected: &'static str,
    },
    /// Another error of SQLite.
    #[error("`{}` cannot be opened: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        r#source: sqlx::Error,
    },
}

/// Translates every error of the driver except those of COMMIT.
pub(crate) fn translate(error: sqlx::Error) -> StorageError {
    let written = Written::None;
    match (&error, primary_code(&error)) {
        (sqlx::Error::PoolClosed, _) => StorageError::closed(),
        (sqlx::Error::PoolTimedOut, _) => unavailable("too many reads at once", written, error),
        (sqlx::Error::WorkerCrashed, _) => unavailable(
            "the connection to the file was lost",
            Written::Unknown,
            error,
        ),
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

/// Translates an error of COMMIT. If the file system refused to write the last frames, nothing was
/// committed. After an I/O error, such as a failed fsync, the frames may be in the file, and
/// recovery after a crash would apply them. The outcome is then unknown.
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

/// The primary result code: the low byte of SQLite's extended result code.
pub(crate) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    Some(extended_code(error)? & 0xff)
}

fn extended_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Whether the file has a rollback journal that must be rolled back. A read-only connection cannot
/// do that.
pub(crate) fn needs_rollback(error: &sqlx::Error) -> bool {
    extended_code(error) == Some(code::READONLY_ROLLBACK)
}

/// Whether the file is not a SQLite database.
pub(crate) fn is_not_a_database(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::NOTADB)
}

/// Whether the file system refused an access.
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
