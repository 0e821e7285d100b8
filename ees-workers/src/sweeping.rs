//! The schedule of sweeps: after a gap in the feed, and periodically.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ees_core::adapter::Index;
use ees_core::{StorageError, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::logging::log_refused;
use crate::retry::pause_after;
use crate::sweep::{Sweep, passed_since};

/// The name of this activity in log messages.
const SWEEPING: &str = "sweeping";

/// Sweeps on request, and once per period `every` unless that is needless. `asks` counts the requested sweeps, `answered`
/// the completed requests. A sweep answers only the requests made before it began.
pub(crate) async fn keep_sweeping(
    index: &Arc<dyn Index>,
    every: Option<Duration>,
    mut asks: watch::Receiver<u64>,
    answered: &watch::Sender<u64>,
) {
    // When a sweep was left out, for which the period begins anew.
    let mut left_out = None;
    loop {
        if *asks.borrow() == *answered.borrow() {
            wait_until_due(index.as_ref(), every, left_out, &mut asks).await;
        }
        if *asks.borrow() == *answered.borrow() && is_needless_for_sure(index.as_ref()).await {
            left_out = Some(Instant::now());
            continue;
        }
        let (asked, begun) = (*asks.borrow_and_update(), Timestamp::now());
        sweep(index).await;
        answered.send_replace(asked);
        while let Err(error) = index.save_sweep(begun).await {
            pause_after(SWEEPING, &error).await;
        }
    }
}

/// Waits until a sweep is requested, or the period is over.
async fn wait_until_due(
    index: &dyn Index,
    every: Option<Duration>,
    left_out: Option<Instant>,
    asks: &mut watch::Receiver<u64>,
) {
    // The sweep is due at the first of the two.
    if let Some(every) = every {
        let left = time_left_for_sure(index, every).await;
        let again = left_out.map(|at| every.saturating_sub(at.elapsed()));
        let left = left.max(again.unwrap_or_default());
        let _ = timeout(left, asks.changed()).await;
    } else {
        let _ = asks.changed().await;
    }
}

async fn time_left_for_sure(index: &dyn Index, every: Duration) -> Duration {
    loop {
        match time_left(index, every).await {
            Ok(left) => return left,
            Err(error) => pause_after(SWEEPING, &error).await,
        }
    }
}

async fn is_needless_for_sure(index: &dyn Index) -> bool {
    loop {
        match Sweep::is_needless(index).await {
            Ok(needless) => return needless,
            Err(error) => pause_after(SWEEPING, &error).await,
        }
    }
}

/// The time until the next sweep. It counts from the last sweep of any process, because processes
/// may start more often than sweeps are due. On the first start the period begins now.
async fn time_left(index: &dyn Index, every: Duration) -> Result<Duration, StorageError> {
    let now = Timestamp::now();
    let Some(last) = index.last_sweep().await? else {
        index.save_sweep(now).await?;
        return Ok(every);
    };
    Ok(every.saturating_sub(passed_since(last)))
}

/// Runs a whole sweep. Retries each page until it succeeds.
async fn sweep(index: &Arc<dyn Index>) {
    tracing::info!("sweeping for changesets without a position");
    let mut sweep = Sweep::new(Arc::clone(index));
    let mut found = 0;
    loop {
        match sweep.next_page().await {
            Ok(Some(page)) => {
                log_refused(&page.done);
                found += page.found;
            }
            Ok(None) => break,
            Err(error) => {
                log_refused(&error.done);
                pause_after(SWEEPING, &error.source).await;
            }
        }
    }
    tracing::info!(found, "the sweep is complete");
}
