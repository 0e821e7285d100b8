//! What the errors of fjall mean.

use std::fmt::Display;
use std::io;
use std::sync::Arc;

use ees_core::{StorageError, Written};
use fjall::{Error, LsmError};

/// The error of a read, or of anything else that changes nothing.
pub(crate) fn translate(error: Error) -> StorageError {
    match error {
        Error::Io(ref source) | Error::Storage(LsmError::Io(ref source)) => {
            let reason = match source.kind() {
                io::ErrorKind::StorageFull => "the disk is full",
                _ => "the files cannot be read or written",
            };
            unavailable(reason, error)
        }
        Error::Poisoned => {
            unavailable("an earlier write failed", error).after_a_try(Written::Unknown)
        }
        Error::Storage(_)
        | Error::JournalRecovery(_)
        | Error::InvalidVersion(_)
        | Error::Decompress(_)
        | Error::InvalidTrailer
        | Error::InvalidTag(_)
        | Error::Unrecoverable => corrupt(&error),
        error => StorageError::Backend(Arc::new(error)),
    }
}

/// The error of a write: a restart may find the write in the journal.
pub(crate) fn translate_write(error: Error) -> StorageError {
    translate(error).after_a_try(Written::Unknown)
}

/// Stored data that breaks a promise.
pub(crate) fn corrupt(found: &impl Display) -> StorageError {
    StorageError::Corrupt(found.to_string())
}

fn unavailable(reason: &str, error: Error) -> StorageError {
    StorageError::Unavailable {
        reason: reason.to_owned(),
        written: Written::None,
        retry_after: StorageError::RETRY_AFTER,
        source: Some(Arc::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io(kind: io::ErrorKind) -> Error {
        Error::Io(kind.into())
    }

    #[test]
    fn a_failed_read_wrote_nothing() {
        let error = translate(io(io::ErrorKind::StorageFull));
        assert!(
            matches!(&error, StorageError::Unavailable { reason, .. } if reason.contains("full"))
        );
        assert_eq!(error.written(), Written::None);
    }

    #[test]
    fn a_failed_write_and_every_one_after_it_may_have_been_written() {
        assert_eq!(
            translate_write(io(io::ErrorKind::Other)).written(),
            Written::Unknown
        );
        assert_eq!(translate(Error::Poisoned).written(), Written::Unknown);
    }

    #[test]
    fn a_damaged_file_is_corrupt() {
        assert!(matches!(
            translate(Error::InvalidTrailer),
            StorageError::Corrupt(_)
        ));
    }
}
