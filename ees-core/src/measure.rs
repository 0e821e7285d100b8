//! What the core measures. It records through the facade `metrics`, which does nothing until a host
//! installs a recorder. [docs/operating.md](https://github.com/doitintl/elastic-event-store/blob/main/docs/operating.md)
//! says what each name means.

use std::time::Instant;

use crate::{Error, StorageError, Written};

/// A call that is measured. It is not a future around another: these nest too deep already.
pub(crate) struct Begun(Instant);

/// Begins to measure a call.
pub(crate) fn begin() -> Begun {
    Begun(Instant::now())
}

impl Begun {
    /// Measures a read of a kind.
    pub(crate) fn read<T>(
        self,
        kind: &'static str,
        read: Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let took = self.0.elapsed();
        metrics::histogram!("ees_read_duration_seconds", "kind" => kind).record(took);
        read.inspect_err(count_error)
    }

    /// Measures a commit to a storage, or a set of commits; its outcome.
    pub(crate) fn commit<T>(
        self,
        storage: &'static str,
        committed: &Result<T, Error>,
        replayed: bool,
    ) -> &'static str {
        let (took, outcome) = (self.0.elapsed(), outcome(committed, replayed));
        metrics::counter!("ees_commits_total", "outcome" => outcome).increment(1);
        metrics::histogram!("ees_commit_duration_seconds", "storage" => storage).record(took);
        if let Err(Error::Storage(error)) = committed {
            count_error(error);
        }
        outcome
    }
}

/// Measures how many changesets were written together.
pub(crate) fn batch(changesets: usize) {
    let changesets = u32::try_from(changesets).unwrap_or(u32::MAX);
    metrics::histogram!("ees_batch_changesets").record(changesets);
}

/// Counts an acknowledgement or a release of a batch that is not out any more.
pub(crate) fn fenced() {
    metrics::counter!("ees_consumer_fenced_total").increment(1);
}

fn outcome<T>(committed: &Result<T, Error>, replayed: bool) -> &'static str {
    match committed {
        Ok(_) if replayed => "replayed",
        Ok(_) => "committed",
        Err(Error::Conflict(_) | Error::SetConflict(_)) => "conflict",
        Err(Error::Storage(StorageError::Unavailable {
            written: Written::Unknown,
            ..
        })) => "unknown",
        Err(Error::Storage(StorageError::Fenced { .. })) => "refused",
        Err(Error::Storage(_)) => "failed",
        Err(_) => "refused",
    }
}

fn count_error(error: &StorageError) {
    let kind = match error {
        StorageError::Unavailable { .. } => "unavailable",
        StorageError::Corrupt(_) => "corrupt",
        StorageError::Fenced { .. } => return,
        StorageError::Backend(_) => "backend",
    };
    metrics::counter!("ees_storage_errors_total", "kind" => kind).increment(1);
}
