//! What redb says, in the words of the storage port.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ees_core::{StorageError, Written};
use redb::Error;

/// The file could not be opened as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file holds something else, or was written by another version.
    #[error("`{}` is no event store of version {known}: it was left as it is", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// The version known here.
        known: u64,
    },
    /// redb cannot open the file: it is in use, cannot be written, is no redb file.
    #[error("`{}` cannot be opened: {source}", path.display())]
    Redb {
        /// The file.
        path: PathBuf,
        /// What redb said.
        r#source: Box<Error>,
    },
}

/// The one place that translates the driver's errors. Nothing was written: a transaction that is
/// not committed is gone.
pub(crate) fn translate(error: impl Into<Error>) -> StorageError {
    match error.into() {
        Error::DatabaseClosed => StorageError::closed(),
        Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
            unavailable("the disk is full", Error::Io(error))
        }
        error @ (Error::Io(_) | Error::PreviousIo) => {
            unavailable("the file cannot be read or written", error)
        }
        error @ (Error::Corrupted(_) | Error::TableTypeMismatch { .. }) => corrupt(&error),
        error => StorageError::Backend(Arc::new(error)),
    }
}

/// What an error of a commit means: the flush may have come as far as the disk, and a restart would
/// find the changesets there. Who asked has to repeat it with the same commit id.
pub(crate) fn translate_commit(error: impl Into<Error>) -> StorageError {
    translate(error).after_a_try(Written::Unknown)
}

/// What stands in the file cannot be so.
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
