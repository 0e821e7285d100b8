//! A worker of a consumer, in a loop: claims, handles, acknowledges.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::future::{Future, pending};
use std::pin::pin;
use std::time::{Duration, Instant};

use ees_core::consumer::ConsumerName;
use ees_core::{Checkpoint, StreamId};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::batches::{Ack, Claim, Failure, Next, WorkerBatch, batch_of};
use crate::client::EventStore;
use crate::model::Changeset;
use crate::request::{Judging, request};

/// The store keeps so many bytes of it.
const LONGEST_ERROR: usize = 256;

impl EventStore {
    /// A worker of a consumer that is defined.
    pub fn worker(&self, name: &ConsumerName) -> Worker {
        Worker {
            store: self.clone(),
            name: name.clone(),
            label: format!("rust-{:08x}", fastrand::u32(..)),
            limit: 100,
            wait: Duration::from_secs(20),
            concurrency: 1,
        }
    }
}

/// A worker of a consumer.
#[must_use]
#[derive(Clone)]
pub struct Worker {
    store: EventStore,
    name: ConsumerName,
    label: String,
    limit: usize,
    wait: Duration,
    concurrency: usize,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// A name, for people who look who has a batch.
    pub fn named(mut self, worker: impl Into<String>) -> Self {
        self.label = worker.into();
        self
    }

    /// The largest number of changesets of a batch: 100 unless set.
    pub fn limit(mut self, changesets: usize) -> Self {
        self.limit = changesets;
        self
    }

    /// How long a claim waits for something to do: 20 seconds unless set.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// How many loops work, each on a partition of its own: one unless set.
    pub fn concurrency(mut self, loops: usize) -> Self {
        self.concurrency = loops;
        self
    }

    /// Hands changesets to the handler, for ever; otherwise as [`Worker::run_until`].
    ///
    /// # Errors
    /// As [`Worker::run_until`].
    pub async fn run<H, R, E>(&self, handler: H) -> Result<(), Error>
    where
        H: Fn(Changeset) -> R,
        R: Future<Output = Result<(), E>>,
        E: Display,
    {
        self.run_until(pending(), handler).await
    }

    /// Hands changesets to the handler, at least once each and each stream in its order, until `stop` is
    /// ready. What was handled is acknowledged then.
    ///
    /// A changeset for which the handler returns an error parks its stream; the other streams go on. A
    /// batch is acknowledged when it is handled, or when half of its lease is over. A changeset that
    /// takes longer than the lease is handed out again. While the store does not answer, the worker tries
    /// again.
    ///
    /// # Errors
    /// [`Error::ConsumerNotFound`], and every other [`Error`] that a repeat would get too.
    pub async fn run_until<H, R, E>(
        &self,
        stop: impl Future<Output = ()>,
        handler: H,
    ) -> Result<(), Error>
    where
        H: Fn(Changeset) -> R,
        R: Future<Output = Result<(), E>>,
        E: Display,
    {
        let stopped = CancellationToken::new();
        let loops = (0..self.concurrency).map(|number| self.work(number, &stopped, &handler));
        let mut loops: FuturesUnordered<_> = loops.collect();
        let all = async {
            let mut result = Ok(());
            while let Some(ended) = loops.next().await {
                // The other loops acknowledge what they have handled.
                stopped.cancel();
                result = result.and(ended);
            }
            result
        };
        match select(pin!(stop), pin!(all)).await {
            Either::Right((result, _)) => result,
            Either::Left(((), all)) => {
                stopped.cancel();
                all.await
            }
        }
    }

    /// One loop: claims, hands over and acknowledges batches.
    async fn work<H, R, E>(
        &self,
        number: usize,
        stopped: &CancellationToken,
        handler: &H,
    ) -> Result<(), Error>
    where
        H: Fn(Changeset) -> R,
        R: Future<Output = Result<(), E>>,
        E: Display,
    {
        let worker = format!("{}-{number}", self.label);
        while !stopped.is_cancelled() {
            // A batch that is handed out at this moment is handed out again after its lease.
            let claimed = stopped.run_until_cancelled(self.claim(&worker)).await;
            let Some(mut batch) = claimed.transpose()?.flatten() else {
                continue;
            };
            let mut begun = Instant::now();
            loop {
                let (checkpoint, failed) = hand_over(&batch, begun, stopped, handler).await;
                // The lease of the next batch begins after this moment.
                begun = Instant::now();
                match self
                    .acknowledge(&batch, checkpoint, failed, stopped)
                    .await?
                {
                    Some(next) => batch = next,
                    None => break,
                }
            }
        }
        Ok(())
    }

    async fn claim(&self, worker: &str) -> Result<Option<WorkerBatch>, Error> {
        let claim = Claim {
            worker,
            limit: self.limit,
            wait: self.wait.as_secs(),
        };
        let asked = claim.asked(&self.name)?;
        request(self.store.settings(), &asked, &forever(true), batch_of).await
    }

    /// Acknowledges, and returns the next batch if there is one at once.
    async fn acknowledge(
        &self,
        batch: &WorkerBatch,
        checkpoint: Checkpoint,
        failed: Vec<Failure>,
        stopped: &CancellationToken,
    ) -> Result<Option<WorkerBatch>, Error> {
        let goes_on = !stopped.is_cancelled();
        let next = goes_on.then_some(Next {
            limit: self.limit,
            wait: 0,
        });
        let ack = Ack {
            partition: batch.partition,
            generation: batch.generation,
            checkpoint,
            failed,
            next,
        };
        let asked = ack.asked(&self.name)?;
        // A last acknowledgement is tried like any other call: who stops does not wait for ever.
        let judging = forever(goes_on);
        match request(self.store.settings(), &asked, &judging, batch_of).await {
            // Another worker has taken over. What was handled here is handed out again.
            Err(Error::Fenced(_)) => Ok(None),
            next => next,
        }
    }
}

fn forever(forever: bool) -> Judging {
    Judging {
        forever,
        ..Judging::default()
    }
}

/// Hands a batch to the handler: all of it, or what half of its lease is enough for. The rest comes in the
/// next batch, with a lease of its own. After a failure the stream waits.
async fn hand_over<H, R, E>(
    batch: &WorkerBatch,
    begun: Instant,
    stopped: &CancellationToken,
    handler: &H,
) -> (Checkpoint, Vec<Failure>)
where
    H: Fn(Changeset) -> R,
    R: Future<Output = Result<(), E>>,
    E: Display,
{
    let mut failed: BTreeMap<&StreamId, Failure> = BTreeMap::new();
    for (number, changeset) in batch.changesets.iter().enumerate() {
        let is_late = number > 0 && begun.elapsed() > batch.lease / 2;
        let ends = stopped.is_cancelled() || is_late;
        if let Some(checkpoint) = changeset.checkpoint.filter(|_| ends) {
            return (checkpoint, failed.into_values().collect());
        }
        if failed.contains_key(&changeset.stream_id) {
            continue;
        }
        if let Err(error) = handler(changeset.clone()).await {
            let mut error = error.to_string();
            error.truncate(error.floor_char_boundary(LONGEST_ERROR));
            let failure = Failure {
                stream_id: changeset.stream_id.clone(),
                changeset_id: changeset.changeset_id,
                error,
            };
            failed.insert(&changeset.stream_id, failure);
        }
        // Other loops, and whoever stops the worker, have their turn after each changeset.
        tokio::task::yield_now().await;
    }
    (batch.next, failed.into_values().collect())
}
