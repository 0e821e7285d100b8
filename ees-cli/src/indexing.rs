//! Gives what is committed its place in the global order, in the background: for a store that
//! orders after the commit.

use std::sync::Arc;
use std::time::Duration;

use ees_core::indexer::{Indexer, IndexingError, Report};
use ees_core::ports::{ChangesetKey, StorageError};
use ees_dynamodb::{DynamoStorage, Follower, SdkConfig};
use tokio::sync::watch;

/// How long to wait before something that failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// How long to wait where somebody has to look first.
const LONG_PAUSE: Duration = Duration::from_secs(30);

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
            let period = every.unwrap_or(Duration::MAX);
            // Either way it is time.
            let _ = tokio::time::timeout(period, asks.changed()).await;
        }
        let asked = *asks.borrow_and_update();
        sweep(storage).await;
        swept.send_replace(asked);
    }
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
