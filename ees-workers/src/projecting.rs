//! Projecting: keeps the statistics up to date.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::convert::Infallible;
use std::time::Duration;

use ees_core::{Error, EventStore, PageLimit, Projector};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The minimum time between two rounds. It bounds the cost of the statistics, and delays them.
const PAUSE: Duration = Duration::from_secs(1);

/// The time of one wait for a wake-up.
const WAIT: Duration = Duration::from_secs(20);

/// Counts the committed changesets until the stop signal.
///
/// - **Cost:** each changeset is read once, in pages of up to 1000, and the counts are written once
///   for each page, at most once a second while commits come one by one. While nothing is
///   committed, it waits as a long poll does.
/// - **Concurrency:** any number may run, in any processes: no changeset is counted twice. One is
///   enough.
/// - **Failure:** a failure is logged and retried a second later. The counts so far are saved.
pub async fn project_statistics(store: EventStore, closing: CancellationToken) {
    closing.run_until_cancelled(project(&store)).await;
}

async fn project(store: &EventStore) -> Infallible {
    let projector = Projector::new(store);
    loop {
        if let Err(error) = round(store, &projector).await {
            tracing::warn!(%error, "counting the statistics failed; it is retried");
        }
        sleep(PAUSE).await;
    }
}

/// Counts all committed changesets, and waits for more.
async fn round(store: &EventStore, projector: &Projector) -> Result<(), Error> {
    let counted = projector.catch_up().await?;
    let more = store.await_changesets(counted.version, PageLimit::items(1), WAIT);
    more.await.map(drop)
}
