//! The reaction of a worker to a failure of the storage: it logs the failure, and waits.

use std::time::Duration;

use ees_core::StorageError;
use tokio::time::sleep;

/// The pause if the storage is unavailable.
const PAUSE: Duration = Duration::from_secs(1);

/// The pause if a retry can succeed only after an operator has repaired the storage.
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// Logs why `what` failed, and waits until the next retry.
pub(crate) async fn pause_after(what: &str, error: &StorageError) {
    if matches!(error, StorageError::Unavailable { .. }) {
        tracing::warn!(%error, "{what} failed; it is retried");
        sleep(PAUSE).await;
    } else {
        tracing::error!(%error, "{what} failed; it is retried, but the storage needs repair");
        sleep(LONG_PAUSE).await;
    }
}
