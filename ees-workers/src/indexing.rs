//! Indexing: assigns positions of the global order in a store that orders after the commit.

mod lag;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::time::Duration;

use ees_core::adapter::{ChangesetKey, CommitFeed, DeferredOrder};
use ees_core::indexer::{Indexer, IndexingError};
use futures_util::future::join;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::logging::log_refused;
use crate::retry::pause_after;
use crate::sweeping::keep_sweeping;
use lag::{Lag, Reason};

/// The name of this activity in log messages.
const FOLLOWING: &str = "following the store's commits";

/// Assigns to each changeset of a store its position in the global order.
///
/// A store that orders after the commit shows a changeset to readers of the global order once an
/// indexer has assigned its position. This worker is that indexer: it follows the store's feed of
/// commits, and sweeps the store for changesets that the feed did not deliver.
///
/// - **Cost:** repeated calls of [`CommitFeed::next`], also while nothing is committed; a few
///   writes for each block of changesets; and a read of the whole store for each sweep.
/// - **Concurrency:** any number may run, in any processes, without disturbing each other. A feed
///   may limit its readers: the stream of a DynamoDB table serves two.
/// - **Failure:** a failure is logged and the work retried. The pause is one second if the storage
///   is unavailable, and otherwise 30 seconds, because an operator has to repair the storage first.
///   The feed's position is saved only when all commits before it have their positions in the
///   order.
/// - **A damaged changeset** is logged at level `error`. Only the later changesets of its stream
///   wait for it.
#[derive(Debug, Clone)]
pub struct Indexing {
    /// The ports that the store's adapter offers to an indexer.
    pub order: DeferredOrder,
    /// The time between two sweeps; `None` sweeps only if the feed has a gap. The time of the last
    /// sweep is saved in the storage, so a restart does not delay the next sweep.
    pub sweep_every: Option<Duration>,
}

impl Indexing {
    /// Indexing with one sweep a day.
    pub fn new(order: DeferredOrder) -> Self {
        Self {
            order,
            sweep_every: Some(Duration::from_hours(24)),
        }
    }

    /// Indexes until the stop signal, and then stops at once. The next indexer does the remaining
    /// work.
    pub async fn run(self, closing: CancellationToken) {
        let (asked, asks) = watch::channel(0);
        let (answered, answers) = watch::channel(0);
        let sweeping = keep_sweeping(&self.order.index, self.sweep_every, asks, &answered);
        let following = self.follow(&asked, &answers);
        closing.run_until_cancelled(join(following, sweeping)).await;
    }

    /// Indexes the commits that the feed delivers. `asked` counts the sweeps that its gaps require,
    /// `answered` the completed ones.
    async fn follow(&self, asked: &watch::Sender<u64>, answered: &watch::Receiver<u64>) {
        let mut lag = Lag::default();
        let mut feed = self.open_feed(&mut lag).await;
        let mut indexer = Indexer::new(self.order.index.clone());
        loop {
            let told = match feed.next().await {
                Ok(told) => told,
                Err(error) => {
                    lag.held(Reason::Feed, true);
                    pause_after(FOLLOWING, &error).await;
                    continue;
                }
            };
            lag.held(Reason::Feed, false);
            if told.gap {
                asked.send_modify(|count| *count += 1);
            }
            lag.delivered(told.oldest);
            index(&mut indexer, &told.keys, &mut lag).await;
            lag.caught_up();
            let is_whole = *answered.borrow() >= *asked.borrow();
            lag.held(Reason::Gap, !is_whole);
            if is_whole {
                feed.close_gap();
            }
            if let Err(error) = feed.done().await {
                tracing::warn!(%error, "saving the position of the feed failed; it is retried");
            }
        }
    }

    async fn open_feed(&self, lag: &mut Lag) -> Box<dyn CommitFeed> {
        loop {
            match self.order.feeds.open().await {
                Ok(feed) => return feed,
                Err(error) => {
                    lag.held(Reason::Feed, true);
                    pause_after(FOLLOWING, &error).await;
                }
            }
        }
    }
}

/// Indexes these changesets. Retries until it succeeds.
async fn index(indexer: &mut Indexer, keys: &[ChangesetKey], lag: &mut Lag) {
    if keys.is_empty() {
        return;
    }
    loop {
        match indexer.index(keys.iter().cloned()).await {
            Ok(report) => {
                lag.held(Reason::Storage, false);
                return log_refused(&report);
            }
            Err(IndexingError { source, done, .. }) => {
                log_refused(&done);
                lag.held(Reason::Storage, true);
                pause_after("indexing", &source).await;
            }
        }
    }
}
