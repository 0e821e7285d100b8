//! What a worker does when the storage fails: it says so, and waits.

use std::time::Duration;

use ees_core::StorageError;
use tokio::time::sleep;

/// How long to wait for a storage that is unavailable.
const PAUSE: Duration = Duration::from_secs(1);

/// How long to wait where trying again helps only after somebody has repaired something.
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// Logs why `what` failed, and waits until it can be tried again.
pub(crate) async fn pause_after(what: &str, error: &StorageError) {
    if matches!(error, StorageError::Unavailable { .. }) {
        tracing::warn!(%error, "{what} failed and will be tried again");
        sleep(PAUSE).await;
    } else {
        tracing::error!(%error, "{what} stands still until somebody repairs the storage");
        sleep(LONG_PAUSE).await;
    }
}
