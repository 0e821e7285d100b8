//! Keeps the statistics up to date.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::convert::Infallible;
use std::time::Duration;

use ees_core::{Error, EventStore, PageLimit, Projector};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The least time between two rounds: statistics are as late, and cost no more than that.
const PAUSE: Duration = Duration::from_secs(1);

/// How long to wait for news at once.
const WAIT: Duration = Duration::from_secs(20);

/// Counts what is committed, until it is told to stop.
///
/// - **Cost:** each changeset is read once, in pages of up to 1000, and the counts are written once
///   for each page, at most once a second while commits come one by one. While nothing is committed
///   it waits as a long poll does.
/// - **How many at once:** any number, in any processes: nothing is counted twice. One is enough.
/// - **Failure:** it is logged and tried again a second later. What was counted so far is saved.
pub async fn project_statistics(store: EventStore, closing: CancellationToken) {
    closing.run_until_cancelled(project(&store)).await;
}

async fn project(store: &EventStore) -> Infallible {
    let projector = Projector::new(store);
    loop {
        if let Err(error) = round(store, &projector).await {
            tracing::warn!(%error, "statistics are not counted for now");
        }
        sleep(PAUSE).await;
    }
}

/// Counts all that is there, and waits for more.
async fn round(store: &EventStore, projector: &Projector) -> Result<(), Error> {
    let counted = projector.catch_up().await?;
    let more = store.await_changesets(counted.version, PageLimit::items(1), WAIT);
    more.await.map(drop)
}
