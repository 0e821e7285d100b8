//! Read models that follow a durable consumer.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, Instant};

use ees_core::consumer::{Ack, Claim, ConsumerName, ConsumerNameError, Delivery, Failure};
use ees_core::{Changeset, Checkpoint, EventStore};
use futures_timer::Delay;
use serde::de::DeserializeOwned;

use crate::patience::Patience;
use crate::{Batches, Recorded, Upcasts};

/// The time that one claim waits.
const WAIT: Duration = Duration::from_secs(20);

/// A read model, or a process that reacts to events.
///
/// It gets every changeset of its consumer at least once, and the changesets of a stream in their order.
/// A changeset comes again after a crash, after a takeover and after a reset. There are two ways to make
/// the effect happen once:
///
/// - **Remember in the same transaction.** Write [`Recorded::changeset_id`] for each stream with the rows,
///   in one transaction, and pass over a changeset that is not greater than what is there.
/// - **Make the effect repeatable.** Set values instead of adding to them, and send commands with
///   [`Recorded::command_id`].
pub trait Projection: Send {
    /// The events of the streams that the consumer selects.
    type Event: DeserializeOwned + Send + Sync;

    /// Why changesets cannot be applied.
    type Error: fmt::Display + Send;

    /// How older forms of events become today's.
    const UPCASTS: Upcasts = Upcasts::NONE;

    /// Applies changesets in their order, all or none of them if it can.
    ///
    /// If it fails for several, they are given to it again, one by one. A changeset that fails alone
    /// parks its stream: it is tried again later, and the other streams go on.
    ///
    /// # Errors
    /// The changesets are not applied, or not all.
    fn apply(
        &mut self,
        changesets: &[Recorded<Self::Event>],
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A worker of a consumer that is defined, which hands what it gets to a projection.
#[derive(Debug)]
pub struct Projecting<P, S = EventStore> {
    store: S,
    consumer: ConsumerName,
    claim: Claim,
    projection: P,
}

impl<P: Projection, S: Batches + Clone> Projecting<P, S> {
    /// A worker of this consumer.
    ///
    /// # Errors
    /// The text is not the name of a consumer.
    pub fn new(store: &S, consumer: &str, projection: P) -> Result<Self, ConsumerNameError> {
        Ok(Self {
            store: store.clone(),
            consumer: consumer.parse()?,
            claim: Claim::new("ees-model"),
            projection,
        })
    }
}

impl<P, S> Projecting<P, S> {
    /// The same worker with a name, for people who look who has a batch.
    #[must_use]
    pub fn worker(mut self, name: impl Into<String>) -> Self {
        self.claim.worker = name.into();
        self
    }

    /// The same worker with another largest number of changesets of a batch, which are applied together.
    #[must_use]
    pub fn limit(mut self, changesets: usize) -> Self {
        self.claim.limit = changesets;
        self
    }

    /// The projection.
    pub fn projection(&self) -> &P {
        &self.projection
    }
}

impl<P: Projection, S: Batches> Projecting<P, S> {
    /// Applies batches, for ever. While the store is unavailable it tries again.
    ///
    /// # Errors
    /// A repeat would fail too: above all, the consumer is not defined.
    pub async fn run(&mut self) -> Result<Infallible, S::Error> {
        loop {
            if let Err(error) = self.step(WAIT).await {
                let pause = self.store.retry_after(&error).ok_or(error)?;
                Delay::new(pause).await;
            }
        }
    }

    /// Claims one batch, applies it and acknowledges it. Returns whether there was one within `wait`.
    ///
    /// # Errors
    /// The store failed. What was applied comes again.
    pub async fn step(&mut self, wait: Duration) -> Result<bool, S::Error> {
        let claim = self.claim.clone();
        let Some(batch) = self.store.claim(&self.consumer, claim, wait).await? else {
            return Ok(false);
        };
        let (checkpoint, failed) = self.work(&batch).await;
        let ack = Ack {
            generation: batch.generation,
            checkpoint,
            failed,
        };
        self.acknowledge(batch.partition, &ack).await?;
        Ok(true)
    }

    /// Acknowledges a batch. If it is not out any more, another worker has taken over, and gets it again.
    async fn acknowledge(&self, partition: u16, ack: &Ack) -> Result<(), S::Error> {
        let mut patience = Patience::default();
        loop {
            let acknowledged = self.store.acknowledge(&self.consumer, partition, ack);
            match acknowledged.await {
                Ok(_) => return Ok(()),
                Err(error) => patience.wait(&self.store, error).await?,
            }
        }
    }

    /// Applies a batch: all of it together, or one by one. Returns what to acknowledge.
    async fn work(&mut self, batch: &Delivery) -> (Checkpoint, Vec<Failure>) {
        let end = Instant::now() + batch.lease;
        let mut all = Vec::with_capacity(batch.changesets.len());
        for changeset in &batch.changesets {
            match Recorded::read(changeset, P::UPCASTS) {
                Ok(read) => all.push(read),
                Err(_) => return self.one_by_one(batch, end).await,
            }
        }
        match self.projection.apply(&all).await {
            Ok(()) => (batch.next, Vec::new()),
            Err(_) => self.one_by_one(batch, end).await,
        }
    }

    /// Applies the changesets of a batch one by one, while its lease lasts. After a failure the rest of
    /// that stream waits.
    async fn one_by_one(&mut self, batch: &Delivery, end: Instant) -> (Checkpoint, Vec<Failure>) {
        let (mut failed, mut waiting) = (Vec::new(), BTreeSet::new());
        for changeset in &batch.changesets {
            if Instant::now() >= end {
                return (changeset.checkpoint.unwrap_or(batch.next), failed);
            }
            if waiting.contains(&changeset.stream_id) {
                continue;
            }
            if let Err(error) = self.apply_alone(changeset).await {
                waiting.insert(&changeset.stream_id);
                failed.push(Failure {
                    stream_id: changeset.stream_id.clone(),
                    changeset_id: changeset.changeset_id,
                    error,
                });
            }
        }
        (batch.next, failed)
    }

    async fn apply_alone(&mut self, changeset: &Changeset) -> Result<(), String> {
        let read = Recorded::read(changeset, P::UPCASTS).map_err(|error| error.to_string())?;
        let applied = self.projection.apply(std::slice::from_ref(&read)).await;
        applied.map_err(|error| error.to_string())
    }
}
