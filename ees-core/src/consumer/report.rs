//! How far a consumer has come.

use std::time::Duration;

use super::records::{Loaded, Record};
use super::{ConsumerDefinition, ConsumerName, Consumers};
use crate::{Checkpoint, Error, PageLimit, Timestamp};

/// A consumer: its definition, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerReport {
    /// Its name.
    pub name: ConsumerName,
    /// Its definition.
    pub definition: ConsumerDefinition,
    /// How many changesets of the global order follow its lowest checkpoint.
    pub lag_changesets: u64,
    /// The age of the first of them; 0 if there is none.
    pub lag: Duration,
    /// Its partitions.
    pub partitions: Vec<PartitionReport>,
}

/// How far a partition has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionReport {
    /// The first position that is not handled.
    pub checkpoint: Checkpoint,
    /// The generation of its last batch.
    pub generation: u64,
    /// Who has a batch of it, and since when.
    pub batch: Option<BatchReport>,
    /// How many streams are parked or have stopped it.
    pub parked: usize,
}

/// A batch that is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchReport {
    /// Who has it.
    pub worker: String,
    /// How long it has been out.
    pub out: Duration,
    /// How long nobody else gets it.
    pub lease_left: Duration,
}

impl ConsumerReport {
    /// Whether every partition is beyond a position.
    pub fn has_passed(&self, position: Checkpoint) -> bool {
        let mut partitions = self.partitions.iter();
        partitions.all(|partition| partition.checkpoint > position)
    }
}

impl Consumers {
    /// How far a consumer has come.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`](super::ConsumerError::NotFound); [`Error::Storage`] if the storage
    /// fails.
    pub async fn report(&self, name: &ConsumerName) -> Result<ConsumerReport, Error> {
        let record = self.records.record(name).await?;
        let partitions = self.records.partitions(&record).await?;
        let now = self.now();
        let lowest = partitions.iter().map(|one| one.state.checkpoint()).min();
        let lowest = lowest.unwrap_or(record.start);
        let head = self.store.next_checkpoint().await?;
        let first = if lowest < head {
            let one = PageLimit::items(1);
            let page = self.store.poll_changesets(lowest, one).await?;
            page.changesets.first().map(|changeset| changeset.timestamp)
        } else {
            None
        };
        let partitions = partitions.iter().map(|one| partition(&record, one, now));
        Ok(ConsumerReport {
            lag_changesets: head.get().saturating_sub(lowest.get()),
            lag: first.map_or(Duration::ZERO, |first| between(first, now)),
            partitions: partitions.collect(),
            name: record.name.clone(),
            definition: record.definition.clone(),
        })
    }

    /// How many parked streams begin at or before a position: they are not handled up to there.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`](super::ConsumerError::NotFound); [`Error::Storage`] if the storage
    /// fails.
    pub async fn parked_before(
        &self,
        name: &ConsumerName,
        position: Checkpoint,
    ) -> Result<usize, Error> {
        let record = self.records.record(name).await?;
        let mut found = 0;
        for (number, loaded) in (0..).zip(self.records.partitions(&record).await?) {
            let loaded = self.records.with_parked(&record, number, loaded).await?;
            let parked = loaded.state.parked().chain(loaded.state.stopped());
            found += parked.filter(|parked| parked.position <= position).count();
        }
        Ok(found)
    }
}

fn partition(record: &Record, loaded: &Loaded, now: Timestamp) -> PartitionReport {
    let state = &loaded.state;
    let free = state.free_at(record.definition.lease(), now);
    PartitionReport {
        checkpoint: state.checkpoint(),
        generation: state.generation(),
        batch: state.batch().map(|batch| BatchReport {
            worker: batch.worker.clone(),
            out: between(batch.leased_at, now),
            lease_left: between(now, free),
        }),
        parked: state.slots().len() + usize::from(state.stopped().is_some()),
    }
}

/// The time from one moment to another; 0 if the clocks disagree.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    let micros = to.as_micros().saturating_sub(from.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}
