//! Whether the store can serve.

use std::sync::atomic::Ordering;

use super::EventStore;
use crate::adapter::{Outcome, SetOutcome};
use crate::{Error, StorageError};

impl EventStore {
    /// Checks that the storage answers, and that commits can be written.
    ///
    /// It reads the end of the global order, and the [identity](EventStore::identity) if it is not known
    /// yet. It asks whether the storage has noticed damage
    /// ([`Storage::check_sound`](crate::adapter::Storage::check_sound)). If the storage failed the last commit, it also asks the
    /// storage for a write ([`Storage::check_writable`](crate::adapter::Storage::check_writable)).
    ///
    /// # Errors
    /// [`Error::Storage`] with the reason.
    pub async fn check_ready(&self) -> Result<(), Error> {
        self.storage.check_sound()?;
        self.storage.next_checkpoint().await?;
        self.identity().await?;
        if self.commit_failed.load(Ordering::Relaxed) {
            self.storage.check_writable().await?;
            self.commit_failed.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Remembers whether the storage failed a commit. A refused one was not written, and shows
    /// nothing.
    pub(super) fn note(&self, committed: &Result<Outcome, StorageError>) {
        match committed {
            Ok(outcome) => self.note_answer(matches!(outcome, Outcome::Committed(_))),
            Err(_) => self.note_failure(),
        }
    }

    /// The same, of a set of commits.
    pub(super) fn note_set(&self, committed: &Result<SetOutcome, StorageError>) {
        match committed {
            Ok(outcome) => self.note_answer(matches!(outcome, SetOutcome::Committed(_))),
            Err(_) => self.note_failure(),
        }
    }

    fn note_answer(&self, is_committed: bool) {
        if is_committed {
            self.commit_failed.store(false, Ordering::Relaxed);
        }
    }

    fn note_failure(&self) {
        self.commit_failed.store(true, Ordering::Relaxed);
    }
}
