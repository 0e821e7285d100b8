//! Publishing: sends committed changesets to subscribers in the background.

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::iter;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ees_core::adapter::Publisher;
use ees_core::publication::Publication;
use ees_core::{
    Changeset, Checkpoint, CheckpointStore, Error, EventStore, Subscription, Timestamp,
};
use futures_util::FutureExt;
use futures_util::future::join;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The name of the saved checkpoint.
const NAME: &str = "ees-publisher";

/// The largest number of taken, undelivered changesets. It includes those that wait for a failed
/// one.
const MAX_CHANGESETS: usize = 1000;

/// The largest payload of these changesets in bytes, except for a single larger changeset.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The pause before a retry, and the minimum time between two saves.
const PAUSE: Duration = Duration::from_secs(1);

/// The time of one wait for a wake-up.
const WAIT: Duration = Duration::from_mins(1);

/// The time that closing waits for taken changesets to be delivered: longer than a call of a
/// publisher.
const LAST: Duration = Duration::from_secs(20);

/// The interval at which a continuing failure is logged.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// Sends each changeset of a store to a publisher, in the global order.
///
/// Delivery is at least once, and in each stream's order. The checkpoint is saved under the name
/// `ees-publisher`, about once a second.
///
/// - **Cost:** each changeset is read once and sent to each topic of the publisher; and a
///   checkpoint is saved at most once a second. Up to 1000 changesets, or 16 MiB of them, are kept
///   in memory until they are delivered.
/// - **Concurrency:** one for each store, in all processes. Several would send every message
///   several times, and overwrite each other's checkpoint.
/// - **Failure:** a message that the publisher fails to send is retried every second, and the later
///   messages of its stream wait. Other streams continue until 1000 changesets wait. The next
///   process sends again the messages after the last save, with the same deduplication ids.
pub struct Publishing {
    /// The store.
    pub store: EventStore,
    /// The port that stores the checkpoint.
    pub checkpoints: Arc<dyn CheckpointStore>,
    /// The publisher that sends the messages.
    pub publisher: Arc<dyn Publisher>,
    /// Where to begin if no checkpoint was ever saved.
    pub from: PublishFrom,
}

/// Where publishing begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishFrom {
    /// With the first changeset of the store.
    Start,
    /// With the next one that is committed.
    Now,
}

impl Publishing {
    /// Publishes until the stop signal. Then it takes no more changesets, waits up to 20 seconds
    /// for the delivery of the taken ones, and saves its checkpoint. The next process sends the
    /// messages that are still undelivered.
    pub async fn run(self, closing: CancellationToken) {
        let Some(begun) = closing.run_until_cancelled(self.begin()).await else {
            return;
        };
        let (read, pages) = mpsc::channel(1);
        let mut progress = Progress::new(begun.checkpoint(), pages, &self);
        let reading = closing.run_until_cancelled(read_pages(begun, read));
        let working = join(reading, progress.go_on(&closing));
        tokio::select! {
            biased;
            _ = working => {}
            () = closing.cancelled().then(|()| sleep(LAST)) => {}
        }
        progress.save().await;
    }

    async fn begin(&self) -> Subscription {
        loop {
            match self.resume().await {
                Ok(subscription) => return subscription,
                Err(error) => {
                    tracing::warn!(%error, "publishing cannot start; it is retried");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn resume(&self) -> Result<Subscription, Error> {
        let saved = self.checkpoints.load_checkpoint(NAME).await?;
        let from = match (saved, self.from) {
            (Some(saved), _) => saved,
            (None, PublishFrom::Start) => Checkpoint::FIRST,
            (None, PublishFrom::Now) => {
                let now = self.store.next_checkpoint().await?;
                self.checkpoints.save_checkpoint(NAME, now).await?;
                now
            }
        };
        tracing::info!(%from, "publishing");
        Ok(Subscription::new(&self.store, from))
    }
}

impl fmt::Debug for Publishing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publishing")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// Reads a page ahead. It runs concurrently with the publishing, so nothing interrupts the read of
/// a page, whatever its duration.
async fn read_pages(mut subscription: Subscription, pages: mpsc::Sender<VecDeque<Changeset>>) {
    while let Ok(place) = pages.reserve().await {
        match subscription.next().await {
            Ok(first) => {
                let mut page = VecDeque::from([first]);
                page.extend(iter::from_fn(|| subscription.next_read()));
                place.send(page);
            }
            // The next call waits as long as necessary.
            Err(error) => tracing::warn!(%error, "publishing cannot read; the read is retried"),
        }
    }
}

/// The progress of publishing.
struct Progress {
    checkpoints: Arc<dyn CheckpointStore>,
    pages: mpsc::Receiver<VecDeque<Changeset>>,
    /// The changesets that are read but not taken yet.
    page: VecDeque<Changeset>,
    /// The position after the last taken changeset.
    taken: Checkpoint,
    publication: Publication,
    saved: Checkpoint,
    last_save: Instant,
    /// The number of failed messages in the last log entry.
    said: (usize, Instant),
}

impl Progress {
    fn new(begun: Checkpoint, pages: mpsc::Receiver<VecDeque<Changeset>>, of: &Publishing) -> Self {
        Self {
            checkpoints: Arc::clone(&of.checkpoints),
            pages,
            page: VecDeque::new(),
            taken: begun,
            saved: begun,
            publication: Publication::new(Arc::clone(&of.publisher)),
            last_save: Instant::now(),
            said: (0, Instant::now()),
        }
    }

    async fn go_on(&mut self, closing: &CancellationToken) {
        while let Some(()) = closing.run_until_cancelled(self.take_more()).await {
            self.publication.run().await;
            self.tell();
            self.measure();
            if self.last_save.elapsed() >= PAUSE {
                self.save().await;
            }
        }
    }

    /// The position of the first changeset that is not fully delivered.
    fn reached(&self) -> Checkpoint {
        let first = self.publication.unpublished().next();
        let first = first.and_then(|changeset| changeset.checkpoint);
        first.unwrap_or(self.taken)
    }

    /// Waits for changesets, and for the time of the next retry. Takes all available changesets
    /// that there is room for.
    async fn take_more(&mut self) {
        let failed = self.publication.unpublished().len() > 0;
        let pause = failed.then(|| sleep(PAUSE));
        let soon = failed || self.reached() != self.saved;
        if self.page.is_empty() && self.has_room() {
            let wait = if soon { PAUSE } else { WAIT };
            if let Ok(Some(page)) = timeout(wait, self.pages.recv()).await {
                self.page = page;
            }
        }
        while self.has_room()
            && let Some(changeset) = self.page.pop_front()
        {
            self.taken = changeset.checkpoint.unwrap_or(self.taken).plus(1);
            self.publication.add(changeset);
        }
        if let Some(pause) = pause {
            pause.await;
        }
    }

    fn has_room(&self) -> bool {
        let publication = &self.publication;
        publication.unpublished().len() < MAX_CHANGESETS
            && publication.unpublished_bytes() < MAX_BYTES
    }

    async fn save(&mut self) {
        let reached = self.reached();
        if reached == self.saved {
            return;
        }
        match self.checkpoints.save_checkpoint(NAME, reached).await {
            Ok(()) => self.saved = reached,
            Err(error) => tracing::warn!(%error, "publishing cannot save its checkpoint yet"),
        }
        self.last_save = Instant::now();
    }

    /// Measures how old the oldest changeset is that is not fully delivered.
    #[allow(clippy::cast_precision_loss)] // metrics are floating-point numbers
    fn measure(&self) {
        let oldest = self.publication.unpublished().next();
        let micros = oldest.map_or(0, |oldest| {
            let age = Timestamp::now().as_micros() - oldest.timestamp.as_micros();
            age.max(0)
        });
        metrics::gauge!("ees_publish_lag_seconds").set(micros as f64 / 1e6);
    }

    fn tell(&mut self) {
        let failed = self.publication.failures().count();
        let (said, when) = self.said;
        if failed == said && (failed == 0 || when.elapsed() < SAID_EVERY) {
            return;
        }
        self.said = (failed, Instant::now());
        let Some(failure) = self.publication.failures().next() else {
            tracing::info!("publishing works again");
            return;
        };
        tracing::warn!(
            failed,
            waiting = self.publication.unpublished().len(),
            "{failure}; it is retried, and the later messages of its stream wait"
        );
    }
}
