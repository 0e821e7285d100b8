//! Why the store accepts no more commits, once that is so.

use std::sync::{Arc, OnceLock};

use ees_core::{StorageError, Written};

const FAILED_FLUSH: &str = "the disk failed while an earlier commit was flushed to it, so no more commits are \
    accepted. Check the disk, then restart: open the store again";

/// The first reason to store nothing more. All parts of an open store share it. It stays until the store
/// is opened again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Halt(Arc<OnceLock<StorageError>>);

impl Halt {
    /// Fails with the reason, if there is one.
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        self.0.get().cloned().map_or(Ok(()), Err)
    }

    /// Notes damage, if an error tells of it. Whoever reads or writes the file calls this.
    pub(crate) fn note(&self, error: &StorageError) {
        if matches!(error, StorageError::Corrupt(_)) {
            self.set(error.clone());
        }
    }

    /// A flush failed. The file may now show what the disk has lost
    /// (<https://wiki.postgresql.org/wiki/Fsync_Errors>), and a later flush would not notice. Nothing
    /// may build on that. Opening the file anew makes what it shows durable.
    pub(crate) fn flush_failed(&self) {
        self.set(StorageError::unavailable(FAILED_FLUSH, Written::None));
    }

    /// The file is not what was opened any more.
    pub(crate) fn file_lost(&self, what: &str) {
        let reason = format!("{what}, so no more commits are accepted");
        self.set(StorageError::unavailable(reason, Written::None));
    }

    fn set(&self, reason: StorageError) {
        let told = reason.to_string();
        if self.0.set(reason).is_ok() {
            tracing::error!("no more commits are accepted: {told}");
        }
    }
}
