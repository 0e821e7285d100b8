//! Runs the statistics projector in the background.

use std::time::Duration;

use ees_core::{EventStore, PageLimit, Projector};

/// The least time between two rounds: statistics are as late, and cost no more than that.
const PAUSE: Duration = Duration::from_secs(1);

/// How long to wait for news at once.
const WAIT: Duration = Duration::from_secs(20);

/// Counts what is committed, for ever.
pub(crate) async fn run(store: EventStore) {
    let projector = Projector::new(&store);
    loop {
        let round = async {
            let counted = projector.catch_up().await?;
            store
                .await_changesets(counted.version, PageLimit::items(1), WAIT)
                .await
        };
        if let Err(error) = round.await {
            tracing::warn!(%error, "statistics are not counted for now");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
