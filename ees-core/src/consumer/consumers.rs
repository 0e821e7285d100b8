//! The use cases of consumers: defining them.

use std::fmt;
use std::sync::Arc;

use super::records::{Record, Records, read, write};
use super::{ConsumerDefinition, ConsumerError, ConsumerName, StartAt};
use crate::adapter::MAX_CONSUMERS;
use crate::{Error, EventStore, Filter, Timestamp};

/// The durable consumers of a store (G16). Cheap to clone.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use ees_core::consumer::{Ack, Claim, ConsumerDefinition};
/// # use ees_core::{EventStore, Events, Expectation, NewChangeset};
/// # use ees_memory::MemoryStorage;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let storage = Arc::new(MemoryStorage::new());
/// # let store = EventStore::new(Arc::clone(&storage)).with_consumers(storage);
/// # let events = Events::parse("[1]")?;
/// # store.commit(NewChangeset::new("s".parse()?, Expectation::NEW_STREAM, events)).await?;
/// let consumers = store.consumers()?;
/// let name = "billing".parse()?;
/// consumers.define(&name, &ConsumerDefinition::default()).await?;
///
/// let claim = Claim::new("worker 1");
/// let batch = consumers.claim(&name, claim, Duration::ZERO).await?.ok_or("nothing")?;
/// for changeset in &batch.changesets {
///     // ... handle it
/// #   let _ = changeset;
/// }
/// let ack = Ack { generation: batch.generation, checkpoint: batch.next, failed: vec![] };
/// consumers.acknowledge(&name, batch.partition, &ack, None).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Consumers {
    pub(super) store: EventStore,
    pub(super) records: Records,
}

impl fmt::Debug for Consumers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumers").finish_non_exhaustive()
    }
}

impl EventStore {
    /// The durable consumers of the store. Each reads with its own filter, and not with that of the
    /// store.
    ///
    /// # Errors
    /// [`ConsumerError::NotSupported`] if the store was made without
    /// [`EventStore::with_consumers`].
    pub fn consumers(&self) -> Result<Consumers, ConsumerError> {
        let port = self.consumer_store().ok_or(ConsumerError::NotSupported)?;
        Ok(Consumers {
            store: self.with_filter(Filter::default()),
            records: Records {
                port: port.clone(),
                reach: None,
            },
        })
    }
}

impl Consumers {
    /// The same consumers, for a caller who may not reach all of them. A call of one whose definition
    /// is not within reach fails with [`ConsumerError::OutOfReach`] and changes nothing, also if it was
    /// defined anew while the call was waiting. Names are listed all the same.
    #[must_use]
    pub fn within(
        mut self,
        reach: impl Fn(&ConsumerDefinition) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.records.reach = Some(Arc::new(reach));
        self
    }

    /// Defines a consumer. Returns whether it is new: otherwise it stands with this definition.
    ///
    /// # Errors
    /// [`ConsumerError::Definition`], [`ConsumerError::Exists`], [`ConsumerError::TooMany`];
    /// [`Error::CheckpointBeyondHead`]; [`Error::Storage`] if the storage fails.
    pub async fn define(
        &self,
        name: &ConsumerName,
        definition: &ConsumerDefinition,
    ) -> Result<bool, Error> {
        definition.check().map_err(ConsumerError::from)?;
        self.records.check(name, definition)?;
        let port = &self.records.port;
        if let Some(stands) = port.load_consumer(name.as_str()).await? {
            return same(name, &stands, definition);
        }
        if port.consumer_names().await?.len() >= MAX_CONSUMERS {
            return Err(ConsumerError::TooMany.into());
        }
        let start = match definition.from {
            StartAt::Checkpoint(from) => {
                self.store.check_checkpoint(from.into()).await?;
                from
            }
            StartAt::Head(_) => self.store.next_checkpoint().await?,
        };
        let record = Record {
            name: name.clone(),
            id: format!("{name}@{}", self.now().as_micros()),
            definition: definition.clone(),
            start,
        };
        let document = write(&record)?;
        match port.define_consumer(name.as_str(), &document).await? {
            Some(stands) => same(name, &stands, definition),
            None => Ok(true),
        }
    }

    /// The names of all consumers, in ascending order.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn names(&self) -> Result<Vec<String>, Error> {
        Ok(self.records.port.consumer_names().await?)
    }

    /// Removes a consumer with everything that is stored for it. The batches that are out end.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`]; [`Error::Storage`] if the storage fails: call it again.
    pub async fn remove(&self, name: &ConsumerName) -> Result<(), Error> {
        let port = &self.records.port;
        let stored = port.load_consumer(name.as_str()).await?;
        let record = self.records.read(name, stored.as_deref())?;
        let partitions = self.records.partitions(&record).await?.into_iter();
        let slots = partitions.map(|one| one.state.slots().iter().copied().collect());
        let slots: Vec<Vec<u16>> = slots.collect();
        let stored = stored.unwrap_or_default();
        let removed = port.remove_consumer(name.as_str(), &stored, &record.id, &slots);
        if removed.await? {
            Ok(())
        } else {
            Err(ConsumerError::NotFound(name.clone()).into())
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.store.clock().now()
    }
}

fn same(name: &ConsumerName, stands: &str, definition: &ConsumerDefinition) -> Result<bool, Error> {
    let stands: Record = read(stands, name.as_str())?;
    if stands.definition == *definition {
        Ok(false)
    } else {
        Err(ConsumerError::Exists(name.clone()).into())
    }
}
