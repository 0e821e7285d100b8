//! What the core measures. It records through the facade `metrics`, which does nothing until a host
//! installs a recorder. [docs/operating.md](https://github.com/doitintl/elastic-event-store/blob/main/docs/operating.md)
//! says what each name means.

use std::time::Instant;

use crate::{Error, Receipt, StorageError, Written};

/// Measures a read of a kind.
pub(crate) async fn read<T>(
    kind: &'static str,
    work: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    let begun = Instant::now();
    let read = work.await;
    metrics::histogram!("ees_read_duration_seconds", "kind" => kind).record(begun.elapsed());
    if let Err(error) = &read {
        count_error(error);
    }
    read
}

/// Measures a commit to a storage.
pub(crate) async fn commit(
    storage: &'static str,
    work: impl Future<Output = Result<Receipt, Error>>,
) -> Result<Receipt, Error> {
    let begun = Instant::now();
    let committed = work.await;
    metrics::counter!("ees_commits_total", "outcome" => outcome(&committed)).increment(1);
    metrics::histogram!("ees_commit_duration_seconds", "storage" => storage)
        .record(begun.elapsed());
    if let Err(Error::Storage(error)) = &committed {
        count_error(error);
    }
    committed
}

/// Measures how many changesets were written together.
pub(crate) fn batch(changesets: usize) {
    let changesets = u32::try_from(changesets).unwrap_or(u32::MAX);
    metrics::histogram!("ees_batch_changesets").record(changesets);
}

fn outcome(committed: &Result<Receipt, Error>) -> &'static str {
    match committed {
        Ok(receipt) if receipt.replayed => "replayed",
        Ok(_) => "committed",
        Err(Error::Conflict(_)) => "conflict",
        Err(Error::Storage(StorageError::Unavailable {
            written: Written::Unknown,
            ..
        })) => "unknown",
        Err(Error::Storage(_)) => "failed",
        Err(_) => "refused",
    }
}

fn count_error(error: &StorageError) {
    let kind = match error {
        StorageError::Unavailable { .. } => "unavailable",
        StorageError::Corrupt(_) => "corrupt",
        StorageError::Backend(_) => "backend",
    };
    metrics::counter!("ees_storage_errors_total", "kind" => kind).increment(1);
}
