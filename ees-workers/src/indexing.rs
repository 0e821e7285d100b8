//! Gives changesets their positions in the global order, for a store that orders after the commit.

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

/// What following is called where it is said that it failed.
const FOLLOWING: &str = "following the store's commits";

/// Gives each changeset of a store its position in the global order.
///
/// A store that orders after the commit shows a changeset to readers of the global order once an
/// indexer has given it a position. This worker is that indexer: it follows the store's feed of
/// commits, and sweeps the store for changesets that the feed did not tell of.
///
/// - **Cost:** what [`CommitFeed::next`] costs, again and again, also while nothing is committed; a
///   few writes for each block of changesets; and a read of the whole store for each sweep.
/// - **How many at once:** any number, in any processes; none disturbs another. A feed may have room
///   for a few readers only: the stream of a DynamoDB table has room for two.
/// - **Failure:** what failed is logged and tried again, after a second if the storage is
///   unavailable, and otherwise after 30 seconds, as somebody has to repair the storage first. The
///   feed's position is saved only when all before it has its position in the order.
/// - **A damaged changeset** is logged at level `error`; what follows in its stream waits, and nothing
///   else does.
#[derive(Debug, Clone)]
pub struct Indexing {
    /// What the store's adapter offers to an indexer.
    pub order: DeferredOrder,
    /// The time between two sweeps; `None` sweeps only where the feed has a gap. The time of the
    /// last sweep is saved in the storage, so that processes that start anew put no sweep off.
    pub sweep_every: Option<Duration>,
}

impl Indexing {
    /// Indexing with a sweep a day.
    pub fn new(order: DeferredOrder) -> Self {
        Self {
            order,
            sweep_every: Some(Duration::from_hours(24)),
        }
    }

    /// Indexes until it is told to stop, and then stops at once: whatever is not done yet, the next
    /// indexer does.
    pub async fn run(self, closing: CancellationToken) {
        let (asked, asks) = watch::channel(0);
        let (answered, answers) = watch::channel(0);
        let sweeping = keep_sweeping(&self.order.index, self.sweep_every, asks, &answered);
        let following = self.follow(&asked, &answers);
        closing.run_until_cancelled(join(following, sweeping)).await;
    }

    /// Indexes what the feed tells. `asked` counts the sweeps that its gaps need, `answered` those of
    /// them that are done.
    async fn follow(&self, asked: &watch::Sender<u64>, answered: &watch::Receiver<u64>) {
        let mut feed = self.open_feed().await;
        let mut indexer = Indexer::new(self.order.index.clone());
        loop {
            let told = match feed.next().await {
                Ok(told) => told,
                Err(error) => {
                    pause_after(FOLLOWING, &error).await;
                    continue;
                }
            };
            if told.gap {
                asked.send_modify(|count| *count += 1);
            }
            index(&mut indexer, &told.keys).await;
            if *answered.borrow() >= *asked.borrow() {
                feed.close_gap();
            }
            if let Err(error) = feed.done().await {
                tracing::warn!(%error, "how far indexing came is not saved yet");
            }
        }
    }

    async fn open_feed(&self) -> Box<dyn CommitFeed> {
        loop {
            match self.order.feeds.open().await {
                Ok(feed) => return feed,
                Err(error) => pause_after(FOLLOWING, &error).await,
            }
        }
    }
}

/// Indexes these, however long it takes.
async fn index(indexer: &mut Indexer, keys: &[ChangesetKey]) {
    if keys.is_empty() {
        return;
    }
    loop {
        match indexer.index(keys.iter().cloned()).await {
            Ok(report) => return log_refused(&report),
            Err(IndexingError { source, done, .. }) => {
                log_refused(&done);
                pause_after("indexing", &source).await;
            }
        }
    }
}
