//! What is stored of a consumer, as values.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ConsumerDefinition, ConsumerError, ConsumerName, Parked, PartitionState, Share};
use crate::adapter::{ConsumerStore, ParkedWrite, StoredPartition};
use crate::{Checkpoint, Error, StorageError, Timestamp};

/// A consumer that is defined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) name: ConsumerName,
    /// The key of the partitions. A consumer that is defined again has another.
    pub(super) id: String,
    pub(super) definition: ConsumerDefinition,
    /// Where its partitions begin.
    pub(super) start: Checkpoint,
}

/// A partition as it was read.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) revision: Option<u64>,
    pub(super) state: PartitionState,
}

/// Whether a caller may reach a consumer, by its definition.
pub(super) type Reach = Arc<dyn Fn(&ConsumerDefinition) -> bool + Send + Sync>;

/// The stored consumers.
#[derive(Clone)]
pub(super) struct Records {
    pub(super) port: Arc<dyn ConsumerStore>,
    /// Which of them may be reached; all if there is none.
    pub(super) reach: Option<Reach>,
}

impl Records {
    pub(super) async fn record(&self, name: &ConsumerName) -> Result<Record, Error> {
        let stored = self.port.load_consumer(name.as_str()).await?;
        self.read(name, stored.as_deref())
    }

    /// Reads the stored definition of a consumer.
    pub(super) fn read(&self, name: &ConsumerName, stored: Option<&str>) -> Result<Record, Error> {
        let stored = stored.ok_or_else(|| ConsumerError::NotFound(name.clone()))?;
        let record: Record = read(stored, name.as_str())?;
        self.check(name, &record.definition)?;
        Ok(record)
    }

    /// Refuses a consumer that may not be reached.
    pub(super) fn check(
        &self,
        name: &ConsumerName,
        definition: &ConsumerDefinition,
    ) -> Result<(), ConsumerError> {
        match &self.reach {
            Some(reach) if !reach(definition) => Err(ConsumerError::OutOfReach(name.clone())),
            _ => Ok(()),
        }
    }

    /// Reads all partitions, without their parked streams.
    pub(super) async fn partitions(&self, record: &Record) -> Result<Vec<Loaded>, Error> {
        let all = 0..record.definition.partitions;
        let stored = self.port.load_partitions(&record.id, all).await?;
        let stored = stored.into_iter();
        let loaded: Result<Vec<_>, _> = stored.map(|one| loaded(record, one)).collect();
        Ok(loaded?)
    }

    /// Reads a partition with its parked streams.
    pub(super) async fn partition(&self, record: &Record, number: u16) -> Result<Loaded, Error> {
        let stored = self
            .port
            .load_partitions(&record.id, number..number + 1)
            .await?;
        let loaded = loaded(record, stored.into_iter().next().flatten())?;
        self.with_parked(record, number, loaded).await
    }

    /// Adds the parked streams to a partition that was read.
    pub(super) async fn with_parked(
        &self,
        record: &Record,
        number: u16,
        loaded: Loaded,
    ) -> Result<Loaded, Error> {
        let slots: Vec<u16> = loaded.state.slots().iter().copied().collect();
        if slots.is_empty() {
            return Ok(loaded);
        }
        let parked = self.port.load_parked(&record.id, number, &slots).await?;
        let parked = parked.iter().map(|one| read::<Parked>(one, &record.id));
        let parked: Vec<_> = parked.collect::<Result<_, _>>()?;
        let state = loaded.state.with_parked(parked);
        Ok(Loaded { state, ..loaded })
    }

    /// Replaces a partition if it still is as it was read. Returns what is stored now; `None` if
    /// somebody else was first.
    pub(super) async fn swap(
        &self,
        record: &Record,
        number: u16,
        before: &Loaded,
        state: PartitionState,
        now: Timestamp,
    ) -> Result<Option<Loaded>, Error> {
        let micros = u64::try_from(now.as_micros()).unwrap_or_default();
        let revision = before
            .revision
            .map_or(micros, |last| (last + 1).max(micros));
        let parked = state.parked_since(&before.state).into_iter();
        let parked = parked.map(|(slot, parked)| {
            let document = parked.map(write).transpose()?;
            Ok(ParkedWrite { slot, document })
        });
        let parked: Vec<_> = parked.collect::<Result<_, StorageError>>()?;
        let next = StoredPartition {
            revision,
            document: write(&state)?,
        };
        let port = &self.port;
        let swapped = port.swap_partition(&record.id, number, before.revision, &next, &parked);
        Ok(swapped.await?.then_some(Loaded {
            revision: Some(revision),
            state,
        }))
    }
}

impl Record {
    pub(super) fn share(&self, partition: u16) -> Share {
        Share::new(&self.definition, partition)
    }
}

fn loaded(record: &Record, stored: Option<StoredPartition>) -> Result<Loaded, StorageError> {
    Ok(match stored {
        None => Loaded {
            revision: None,
            state: PartitionState::new(record.start),
        },
        Some(stored) => Loaded {
            revision: Some(stored.revision),
            state: read(&stored.document, &record.id)?,
        },
    })
}

pub(super) fn read<T: DeserializeOwned>(document: &str, of: &str) -> Result<T, StorageError> {
    serde_json::from_str(document).map_err(|error| {
        StorageError::Corrupt(format!(
            "a document of consumer `{of}` cannot be read: {error}"
        ))
    })
}

pub(super) fn write<T: Serialize>(value: &T) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|error| StorageError::Backend(Arc::new(error)))
}
