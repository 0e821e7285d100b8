//! Translates the errors of redb into the errors of the storage port.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ees_core::{StorageError, Written};
use redb::Error;

/// The file could not be opened as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is not an event store, or another version wrote it.
    #[error("`{}` is not an event store of version {known}. It was not changed", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// The version that this adapter knows.
        known: u64,
    },
    /// redb cannot open the file: it is in use, it cannot be written, or it is not a redb file.
    #[error("`{}` cannot be opened: {source}", path.display())]
    Redb {
        /// The file.
        path: PathBuf,
        /// The error of redb.
        r#source: Box<Error>,
    },
}

/// Translates every error of the driver except those of a commit. Nothing was written, since a
/// transaction that is not committed is rolled back. After a failed write redb refuses every call,
/// and a restart may find that earlier write in the file.
pub(crate) fn translate(error: impl Into<Error>) -> StorageError {
    match error.into() {
        Error::DatabaseClosed => StorageError::closed(),
        Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
            unavailable("the disk is full", Error::Io(error))
        }
        error @ Error::Io(_) => unavailable("the file cannot be read or written", error),
        error @ Error::PreviousIo => {
            unavailable("an earlier write failed", error).after_a_try(Written::Unknown)
        }
        error @ (Error::Corrupted(_) | Error::TableTypeMismatch { .. }) => corrupt(&error),
        error => StorageError::Backend(Arc::new(error)),
    }
}

/// Translates an error of a commit. The flush may have reached the disk, and a restart would then
/// find the changesets there. The caller must repeat the commit with the same commit id.
pub(crate) fn translate_commit(error: impl Into<Error>) -> StorageError {
    translate(error).after_a_try(Written::Unknown)
}

/// The error of data in the file that cannot be valid.
pub(crate) fn corrupt(problem: &dyn std::fmt::Display) -> StorageError {
    StorageError::Corrupt(problem.to_string())
}

fn unavailable(reason: &str, error: Error) -> StorageError {
    StorageError::Unavailable {
        reason: reason.to_owned(),
        written: Written::None,
        retry_after: StorageError::RETRY_AFTER,
        source: Some(Arc::new(error)),
    }
}
