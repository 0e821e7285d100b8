//! The store in the same process.

use std::time::Duration;

use ees_core::consumer::{Ack, Claim, ConsumerError, ConsumerName, Delivery};
use ees_core::{Changeset, Error, EventStore, NewChangeset, NewSet, Page, StreamQuery};

use super::{Batches, Outcome, SetOutcome, Store};

impl Store for EventStore {
    type Error = Error;

    async fn changesets(&self, query: &StreamQuery) -> Result<Page<Changeset>, Error> {
        match EventStore::changesets(self, query).await {
            Err(Error::StreamNotFound { .. }) => Ok(Page {
                items: Vec::new(),
                more: false,
            }),
            page => page,
        }
    }

    async fn commit(&self, asked: NewChangeset) -> Result<Outcome, Error> {
        match EventStore::commit(self, asked).await {
            Ok(receipt) => Ok(Outcome::Stored(receipt)),
            Err(Error::IdempotencyKeyReused(stands)) => Ok(Outcome::KeyStands(stands)),
            Err(Error::Conflict(conflict)) => Ok(Outcome::Conflict(conflict)),
            Err(Error::ExpectationAhead { .. }) => Ok(Outcome::Ahead),
            Err(error) => Err(error),
        }
    }

    async fn commit_all(&self, asked: NewSet) -> Result<SetOutcome, Error> {
        match EventStore::commit_all(self, asked).await {
            Ok(receipts) => Ok(SetOutcome::Stored(receipts)),
            Err(Error::IdempotencyKeyReused(stands)) => Ok(SetOutcome::KeyStands(stands)),
            Err(Error::SetConflict(conflict)) => Ok(SetOutcome::Conflict(conflict)),
            Err(error) => Err(error),
        }
    }

    fn retry_after(&self, error: &Error) -> Option<Duration> {
        error.retry_after()
    }
}

impl Batches for EventStore {
    async fn claim(
        &self,
        consumer: &ConsumerName,
        claim: Claim,
        wait: Duration,
    ) -> Result<Option<Delivery>, Error> {
        self.consumers()?.claim(consumer, claim, wait).await
    }

    async fn acknowledge(
        &self,
        consumer: &ConsumerName,
        partition: u16,
        ack: &Ack,
    ) -> Result<bool, Error> {
        let consumers = self.consumers()?;
        match consumers.acknowledge(consumer, partition, ack, None).await {
            Err(Error::Consumer(ConsumerError::Fenced { .. })) => Ok(false),
            acknowledged => acknowledged.map(|_| true),
        }
    }
}
