//! Translates the errors of SQLite into the errors of the storage port.

use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ees_core::{Checkpoint, StorageError, Written};

/// The result codes of SQLite that the translation uses: <https://sqlite.org/rescode.html>.
mod code {
    pub(super) use rusqlite::ffi::{
        SQLITE_BUSY as BUSY, SQLITE_CANTOPEN as CANTOPEN, SQLITE_CONSTRAINT as CONSTRAINT,
        SQLITE_CONSTRAINT_TRIGGER as CONSTRAINT_TRIGGER, SQLITE_CORRUPT as CORRUPT,
        SQLITE_FULL as FULL, SQLITE_IOERR as IOERR, SQLITE_IOERR_DIR_FSYNC as IOERR_DIR_FSYNC,
        SQLITE_IOERR_FSYNC as IOERR_FSYNC, SQLITE_IOERR_SHMSIZE as IOERR_SHMSIZE,
        SQLITE_IOERR_WRITE as IOERR_WRITE, SQLITE_LOCKED as LOCKED, SQLITE_NOTADB as NOTADB,
        SQLITE_READONLY as READONLY, SQLITE_READONLY_ROLLBACK as READONLY_ROLLBACK,
    };
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
    #[error("`{}` is one of {links} hard links to its file, and servers that use different links would lose each other's changesets. Remove the other links; to copy a store, use `ees backup`; after an interrupted `ees restore`, repeat it", path.display())]
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
    /// The file has the schema of an earlier version.
    #[error("`{}` has the schema of an earlier version of the program. Start a server of this version on it first", .0.display())]
    Older(PathBuf),
    /// The file or its folder cannot be read or written.
    #[error("`{}` cannot be opened for writing: {reason}. Check that its folder exists, that the file and the folder are writable, and that the disk is not full", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system or of SQLite.
        reason: String,
    },
    /// The disk is full, or the file may not grow.
    #[error("`{}` cannot be prepared for writing: {reason}. Free space on its disk", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        reason: String,
    },
    /// A copy was put in place of a store, and the write-ahead log of that store is still beside it.
    #[error("`{file}` is a copy, and the write-ahead log beside it, `{file}-wal`, belongs to the store that was there before: the copy would be damaged by it. Nothing was changed. Move `{file}-wal` and `{file}-shm` away and start again; `ees restore` does this by itself", file = .0.display())]
    ForeignLog(PathBuf),
    /// The store, or the newest part of it, is not there any more.
    #[error("`{file}` {found}, but `{file}.lock` says that it had {end} changesets: the file or its write-ahead log, `{file}-wal`, was lost, damaged or replaced by an older one. Nothing was changed. Put both files back as they were, or put a backup in their place with `ees restore`. To go on with what is there, remove `{file}.lock`", file = path.display())]
    Lost {
        /// The file.
        path: PathBuf,
        /// What was found.
        found: String,
        /// The end of the order, when it was written to last.
        end: Checkpoint,
    },
    /// The file is damaged.
    #[error("`{}` is damaged: {finding}. Keep the file as it is, and put a backup in its place with `ees restore`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        finding: String,
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
    /// What the store keeps of itself cannot be read or written.
    #[error("`{}` cannot be opened: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was found.
        r#source: StorageError,
    },
    /// Another error of SQLite.
    #[error("`{}` cannot be opened: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        r#source: rusqlite::Error,
    },
}

/// An error with the extended result code, which the driver's message leaves out. It tells a failed
/// fsync from a failed write.
#[derive(Debug, thiserror::Error)]
#[error("{source}{}", code.map(|code| format!(" (code {code})")).unwrap_or_default())]
struct Coded {
    code: Option<c_int>,
    r#source: rusqlite::Error,
}

impl From<rusqlite::Error> for Coded {
    fn from(error: rusqlite::Error) -> Self {
        Self {
            code: extended_code(&error),
            source: error,
        }
    }
}

/// Translates every error of the driver except those of COMMIT.
pub(crate) fn translate(error: rusqlite::Error) -> StorageError {
    let unavailable = |reason: &str, error| StorageError::Unavailable {
        reason: reason.to_owned(),
        written: Written::None,
        retry_after: StorageError::RETRY_AFTER,
        source: Some(Arc::new(Coded::from(error))),
    };
    match primary_code(&error) {
        Some(code::FULL) => unavailable("the disk is full", error),
        Some(code::BUSY | code::LOCKED) => {
            unavailable("another program holds the file's lock", error)
        }
        Some(code::READONLY) => unavailable("the file cannot be written", error),
        Some(code::IOERR | code::CANTOPEN) => {
            unavailable("the file cannot be read or written", error)
        }
        // A trigger is none of the store's, and refuses without damage.
        Some(code::CONSTRAINT) if extended_code(&error) != Some(code::CONSTRAINT_TRIGGER) => {
            StorageError::Corrupt(error.to_string())
        }
        Some(code::CORRUPT | code::NOTADB) => StorageError::Corrupt(error.to_string()),
        _ => StorageError::Backend(Arc::new(Coded::from(error))),
    }
}

/// Translates an error of COMMIT. If the file system refused to write the last frames, nothing was
/// committed. After an I/O error, such as a failed fsync, the frames may be in the file, and
/// recovery after a crash would apply them. The outcome is then unknown.
pub(crate) fn translate_commit(error: rusqlite::Error) -> StorageError {
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
fn primary_code(error: &rusqlite::Error) -> Option<c_int> {
    Some(extended_code(error)? & 0xff)
}

fn extended_code(error: &rusqlite::Error) -> Option<c_int> {
    match error {
        rusqlite::Error::SqliteFailure(error, _) | rusqlite::Error::SqlInputError { error, .. } => {
            Some(error.extended_code)
        }
        _ => None,
    }
}

/// Whether the file is damaged.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    let codes = [code::CORRUPT, code::NOTADB];
    primary_code(error).is_some_and(|code| codes.contains(&code))
}

/// Whether the disk failed a flush.
pub(crate) fn is_failed_flush(error: &rusqlite::Error) -> bool {
    let flushes = [code::IOERR_FSYNC, code::IOERR_DIR_FSYNC];
    extended_code(error).is_some_and(|code| flushes.contains(&code))
}

/// Whether the file has a rollback journal that must be rolled back. A read-only connection cannot
/// do that.
pub(crate) fn needs_rollback(error: &rusqlite::Error) -> bool {
    extended_code(error) == Some(code::READONLY_ROLLBACK)
}

/// Whether the file is not a SQLite database.
pub(crate) fn is_not_a_database(error: &rusqlite::Error) -> bool {
    primary_code(error) == Some(code::NOTADB)
}

/// Whether the disk is full, or a file may not grow.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    let codes = [code::FULL, code::IOERR_WRITE, code::IOERR_SHMSIZE];
    extended_code(error).is_some_and(|code| codes.contains(&code))
}

/// Whether the file system refused an access.
fn is_not_writable(error: &rusqlite::Error) -> bool {
    let codes = [code::READONLY, code::CANTOPEN, code::FULL, code::IOERR];
    primary_code(error).is_some_and(|code| codes.contains(&code))
}

/// The error of a file whose content cannot be read or written while it is opened.
pub(crate) fn unreadable(path: &Path, source: StorageError) -> OpenError {
    let path = path.to_owned();
    match source {
        StorageError::Corrupt(finding) => OpenError::Damaged { path, finding },
        source => OpenError::Unreadable { path, source },
    }
}

/// Translates an error while a file is opened.
pub(crate) fn open_error(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    if is_full(&error) {
        let reason = error.to_string();
        OpenError::Full { path, reason }
    } else if is_not_writable(&error) {
        let reason = error.to_string();
        OpenError::NotWritable { path, reason }
    } else if is_damage(&error) {
        let finding = error.to_string();
        OpenError::Damaged { path, finding }
    } else {
        OpenError::Sqlite {
            path,
            source: error,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use rusqlite::ffi;

    use super::*;

    fn failure(code: c_int) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("a message".to_owned()))
    }

    /// G12: what a COMMIT may have written is said, and why it failed.
    #[test]
    fn only_a_certain_failure_of_commit_has_written_nothing() {
        let written = |code| translate_commit(failure(code)).written();
        for certain in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_READONLY] {
            assert_eq!(written(certain), Written::None, "{certain}");
        }
        let fsync = ffi::SQLITE_IOERR_FSYNC;
        for unknown in [fsync, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_CORRUPT] {
            assert_eq!(written(unknown), Written::Unknown, "{unknown}");
        }
        assert_eq!(translate(failure(fsync)).written(), Written::None);
    }

    #[test]
    fn the_cause_has_its_code() {
        let error = translate(failure(ffi::SQLITE_IOERR_FSYNC));
        let cause = error.source().unwrap().to_string();
        assert_eq!(cause, "a message (code 1034)");
    }
}
