//! Sealing: lets the verifiable log follow the global order.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ees_core::{Checkpoint, Error, EventStore, PageLimit, StorageError};
use ees_evidence::{LogError, Sealer};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::retry::pause_after;

/// The minimum time between two rounds. It bounds the cost of the log, and delays it.
const PAUSE: Duration = Duration::from_secs(1);

/// The time of one wait for a wake-up.
const WAIT: Duration = Duration::from_secs(20);

/// Seals the global order of a store until the stop signal.
///
/// - **Cost:** each changeset is read and hashed once, in pages, and a head is written for each 4096
///   of them, at most once a second while commits come one by one. While nothing is committed, it waits
///   as a long poll does.
/// - **Concurrency:** any number may run, in any processes: they make the same log. One is enough.
/// - **Failure:** a failure is logged and retried a second later, damage of the log 30 seconds later.
///   What was sealed so far is stored.
pub async fn seal_log(store: EventStore, sealer: Sealer, closing: CancellationToken) {
    closing.run_until_cancelled(seal(&store, &sealer)).await;
}

async fn seal(store: &EventStore, sealer: &Sealer) -> Infallible {
    loop {
        match round(store, sealer).await {
            Ok(()) => sleep(PAUSE).await,
            Err(error) => pause(error).await,
        }
    }
}

/// Seals all positions, and waits for more.
async fn round(store: &EventStore, sealer: &Sealer) -> Result<(), LogError> {
    let head = sealer.catch_up().await?;
    let next = Checkpoint::FIRST.plus(head.size);
    let more = store.await_changesets(next, PageLimit::items(1), WAIT);
    more.await?;
    Ok(())
}

/// Counts and logs a failure, and waits until the next try.
async fn pause(error: LogError) {
    let error = match error {
        LogError::Store(Error::Storage(error)) => error,
        // Nothing that a repeat would change.
        other => StorageError::Backend(Arc::new(other)),
    };
    let kind = match &error {
        StorageError::Unavailable { .. } => "unavailable",
        StorageError::Corrupt(_) => "corrupt",
        _ => "other",
    };
    metrics::counter!("ees_seal_failures_total", "kind" => kind).increment(1);
    pause_after("sealing the log", &error).await;
}
