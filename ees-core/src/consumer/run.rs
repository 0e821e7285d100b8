//! A worker in a loop: claims, handles, acknowledges.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::{self, Display};
use std::time::Duration;

use super::{Ack, Claim, ConsumerError, ConsumerName, Consumers, Delivery, Failure};
use crate::{Changeset, Error, EventStore};

/// The time that one claim waits.
const WAIT: Duration = Duration::from_secs(20);

/// A worker of a consumer that is defined.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use ees_core::consumer::{Consumer, ConsumerDefinition};
/// # use ees_core::{EventStore, Events, Expectation, NewChangeset};
/// # use ees_memory::MemoryStorage;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let storage = Arc::new(MemoryStorage::new());
/// # let store = EventStore::new(Arc::clone(&storage)).with_consumers(storage);
/// # let events = Events::parse("[1]")?;
/// # store.commit(NewChangeset::new("s".parse()?, Expectation::NEW_STREAM, events)).await?;
/// let definition = ConsumerDefinition::default();
/// store.consumers()?.define(&"billing".parse()?, &definition).await?;
///
/// let mut worker = Consumer::new(&store, "billing")?;
/// # let mut sent = 0;
/// // `worker.run(handler)` does this for ever.
/// let found = worker.handle(Duration::ZERO, async |changeset| {
///     println!("{}: {}", changeset.stream_id, changeset.events.as_str());
/// #   sent += 1;
///     Ok::<(), String>(())
/// });
/// assert!(found.await?);
/// # assert_eq!(sent, 1);
/// # Ok(())
/// # }
/// ```
pub struct Consumer {
    consumers: Consumers,
    name: ConsumerName,
    claim: Claim,
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("name", &self.name)
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

impl Consumer {
    /// A worker of this consumer.
    ///
    /// # Errors
    /// [`ConsumerError::Name`]; [`ConsumerError::NotSupported`] if the store was made without
    /// [`EventStore::with_consumers`].
    pub fn new(store: &EventStore, name: &str) -> Result<Self, ConsumerError> {
        Ok(Self {
            consumers: store.consumers()?,
            name: name.parse()?,
            claim: Claim::new("ees-core"),
        })
    }

    /// The same worker with a name, for people who look who has a batch.
    #[must_use]
    pub fn worker(mut self, name: impl Into<String>) -> Self {
        self.claim.worker = name.into();
        self
    }

    /// The same worker with another largest number of changesets of a batch. What it cannot handle in
    /// the lease of a batch is handed out again.
    #[must_use]
    pub fn limit(mut self, changesets: usize) -> Self {
        self.claim.limit = changesets;
        self
    }

    /// Hands changesets to the handler, for ever. A changeset for which the handler returns an error
    /// parks its stream. While the storage is unavailable the worker tries again.
    ///
    /// Delivery is at least once: the handler may get a changeset again, after a crash or a takeover.
    ///
    /// # Errors
    /// [`Error`] if a repeat would fail too: above all [`ConsumerError::NotFound`].
    pub async fn run<E: Display>(
        &mut self,
        mut handler: impl AsyncFnMut(&Changeset) -> Result<(), E>,
    ) -> Result<Infallible, Error> {
        let mut step = Step::Claim(self.claim.clone());
        loop {
            step = match step {
                Step::Claim(claim) => {
                    let claimed = self.consumers.claim(&self.name, claim.clone(), WAIT).await;
                    match claimed {
                        Ok(Some(batch)) => Step::Work(batch),
                        Ok(None) => Step::Claim(self.claim.clone()),
                        Err(error) => self.again(error, Step::Claim(claim)).await?,
                    }
                }
                Step::Work(batch) => {
                    let ack = self.work(&batch, &mut handler).await;
                    Step::Acknowledge(batch.partition, ack)
                }
                Step::Acknowledge(partition, ack) => {
                    let next = Some(self.claim.limit);
                    let acked = self
                        .consumers
                        .acknowledge(&self.name, partition, &ack, next);
                    match acked.await {
                        Ok(acked) => acked.delivery.map_or(Step::Claim(acked.claim), Step::Work),
                        // Another worker has taken over. What was handled here is handed out again.
                        Err(Error::Consumer(ConsumerError::Fenced { .. })) => {
                            Step::Claim(self.claim.clone())
                        }
                        Err(error) => self.again(error, Step::Acknowledge(partition, ack)).await?,
                    }
                }
            };
        }
    }

    /// Waits before a step is made again; the error, if that would fail too.
    async fn again(&self, error: Error, step: Step) -> Result<Step, Error> {
        let pause = error.retry_after().ok_or(error)?;
        self.consumers.store.clock().sleep(pause).await;
        Ok(step)
    }

    /// Claims one batch, hands it to the handler and acknowledges it. Returns whether there was one
    /// within `wait`.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`]; [`Error::Storage`] if the storage fails.
    pub async fn handle<E: Display>(
        &mut self,
        wait: Duration,
        mut handler: impl AsyncFnMut(&Changeset) -> Result<(), E>,
    ) -> Result<bool, Error> {
        let claim = self.claim.clone();
        let claimed = self.consumers.claim(&self.name, claim, wait).await?;
        let Some(batch) = claimed else {
            return Ok(false);
        };
        let ack = self.work(&batch, &mut handler).await;
        let acked = self
            .consumers
            .acknowledge(&self.name, batch.partition, &ack, None);
        match acked.await {
            // Another worker has taken over. What was handled here is handed out again.
            Err(Error::Consumer(ConsumerError::Fenced { .. })) => Ok(true),
            acked => acked.map(|_| true),
        }
    }

    /// Hands a batch to the handler while its lease lasts. After a failure the rest of that stream
    /// waits. Returns the acknowledgement of what was handled and what failed.
    async fn work<E: Display>(
        &self,
        batch: &Delivery,
        handler: &mut impl AsyncFnMut(&Changeset) -> Result<(), E>,
    ) -> Ack {
        let end = self.consumers.now().after(batch.lease);
        let mut ack = Ack {
            generation: batch.generation,
            checkpoint: batch.next,
            failed: Vec::new(),
        };
        let mut waiting = BTreeSet::new();
        for changeset in &batch.changesets {
            if self.consumers.now() >= end {
                ack.checkpoint = changeset.checkpoint.unwrap_or(batch.next);
                break;
            }
            if waiting.contains(&changeset.stream_id) {
                continue;
            }
            if let Err(error) = handler(changeset).await {
                waiting.insert(&changeset.stream_id);
                ack.failed.push(Failure {
                    stream_id: changeset.stream_id.clone(),
                    changeset_id: changeset.changeset_id,
                    error: error.to_string(),
                });
            }
        }
        ack
    }
}

/// What a worker does next.
enum Step {
    Claim(Claim),
    Work(Delivery),
    /// Acknowledge a batch, and take the next one with the same write. A repeat whose first answer was lost
    /// gets the same batch.
    Acknowledge(u16, Ack),
}
