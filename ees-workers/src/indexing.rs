//! Gives what is committed its place in the global order, in the background: for a store that
//! orders after the commit.

#[cfg(all(test, feature = "memory"))]
#[allow(clippy::unwrap_used)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ees_core::adapter::ChangesetKey;
use ees_core::indexer::{Indexer, IndexingError, Report};
use ees_core::{Checkpoint, CheckpointStore, StorageError};
use ees_dynamodb::{DynamoStorage, Follower, SdkConfig};
use tokio::sync::watch;

/// How long to wait before something that failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// How long to wait where somebody has to look first.
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// The name that the beginning of the last sweep is kept under: seconds since 1970, in the place of a
/// checkpoint.
const SWEPT: &str = "ees-sweep";

/// Follows the table's stream, and sweeps for what it did not tell: where it has a gap, and `every`
/// so often.
pub(crate) async fn run(storage: Arc<DynamoStorage>, sdk: SdkConfig, every: Option<Duration>) {
    let (asked, asks) = watch::channel(0);
    let (swept, sweeps) = watch::channel(0);
    tokio::join!(
        follow(&storage, &sdk, &asked, &sweeps),
        keep_sweeping(&storage, every, asks, &swept),
    );
}

/// Indexes what the stream tells. `asked` counts the sweeps that it needs, `swept` those that are
/// done.
async fn follow(
    storage: &Arc<DynamoStorage>,
    sdk: &SdkConfig,
    asked: &watch::Sender<u64>,
    swept: &watch::Receiver<u64>,
) {
    let mut follower = loop {
        match Follower::open(Arc::clone(storage), sdk).await {
            Ok(follower) => break follower,
            Err(error) => stopped("following the table's stream", &error).await,
        }
    };
    let mut indexer = Indexer::new(Arc::clone(storage) as _);
    loop {
        let told = match follower.next().await {
            Ok(told) => told,
            Err(error) => {
                stopped("following the table's stream", &error).await;
                continue;
            }
        };
        if told.gap {
            asked.send_modify(|count| *count += 1);
        }
        index(&mut indexer, &told.committed).await;
        if *swept.borrow() >= *asked.borrow() {
            follower.close_gap();
        }
        if let Err(error) = follower.done().await {
            tracing::warn!(%error, "the place in the table's stream is not saved for now");
        }
    }
}

/// Indexes these, however long it takes.
async fn index(indexer: &mut Indexer, committed: &[ChangesetKey]) {
    if committed.is_empty() {
        return;
    }
    loop {
        match indexer.index(committed.iter().cloned()).await {
            Ok(report) => return tell(&report),
            Err(IndexingError { source, done, .. }) => {
                tell(&done);
                stopped("indexing", &source).await;
            }
        }
    }
}

/// Sweeps when asked, and from time to time. A sweep that began after it was asked for answers it.
async fn keep_sweeping(
    storage: &Arc<DynamoStorage>,
    every: Option<Duration>,
    mut asks: watch::Receiver<u64>,
    swept: &watch::Sender<u64>,
) {
    loop {
        if *asks.borrow() == *swept.borrow() {
            let wait = match every {
                Some(every) => until_due(storage.as_ref(), every).await,
                None => Duration::MAX,
            };
            // Either way it is time.
            let _ = tokio::time::timeout(wait, asks.changed()).await;
        }
        let (asked, begun) = (*asks.borrow_and_update(), now());
        sweep(storage).await;
        swept.send_replace(asked);
        while let Err(error) = save_sweep(storage.as_ref(), begun).await {
            stopped("sweeping", &error).await;
        }
    }
}

async fn until_due(kept: &dyn CheckpointStore, every: Duration) -> Duration {
    loop {
        match time_left(kept, every).await {
            Ok(left) => return left,
            Err(error) => stopped("sweeping", &error).await,
        }
    }
}

/// The time until the next sweep, whichever server did the last one: servers may start more often
/// than sweeps are due.
async fn time_left(kept: &dyn CheckpointStore, every: Duration) -> Result<Duration, StorageError> {
    let Some(begun) = kept.load_checkpoint(SWEPT).await? else {
        save_sweep(kept, now()).await?;
        return Ok(every);
    };
    let passed = now().saturating_sub(Duration::from_secs(begun.get()));
    Ok(every.saturating_sub(passed))
}

async fn save_sweep(kept: &dyn CheckpointStore, begun: Duration) -> Result<(), StorageError> {
    let begun = Checkpoint::FIRST.plus(begun.as_secs());
    kept.save_checkpoint(SWEPT, begun).await
}

/// Since 1970.
fn now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

/// A whole sweep.
async fn sweep(storage: &Arc<DynamoStorage>) {
    let mut indexer = Indexer::new(Arc::clone(storage) as _);
    let (mut after, mut found) = (None, 0);
    tracing::info!("sweeping for changesets without a position");
    loop {
        match indexer.sweep_page(after.as_ref()).await {
            Ok(page) => {
                tell(&page.done);
                found += page.found;
                after = page.next;
                if after.is_none() {
                    tracing::info!(found, "swept");
                    return;
                }
            }
            Err(error) => {
                tell(&error.done);
                stopped("sweeping", &error.source).await;
            }
        }
    }
}

fn tell(report: &Report) {
    for refused in &report.refused {
        tracing::error!("{refused}; what follows in its stream has to wait");
    }
}

async fn stopped(what: &str, error: &StorageError) {
    if matches!(error, StorageError::Unavailable { .. }) {
        tracing::warn!(%error, "{what} has to wait");
        tokio::time::sleep(PAUSE).await;
    } else {
        tracing::error!(%error, "{what} stands still until somebody looks");
        tokio::time::sleep(LONG_PAUSE).await;
    }
}
