//! Acknowledging and releasing a batch.

use futures_util::future::try_join;

use super::claim::page_limit;
use super::records::{Loaded, Record};
use super::scan::Scan;
use super::{
    Ack, AckRefusal, Acked, Claim, ConsumerError, ConsumerName, Consumers, Delivery, MAX_BATCH,
    PartitionState,
};
use crate::measure;
use crate::{Error, StorageError, Written};

/// How often a change of a partition is tried while others change it too.
const ROUNDS: usize = 16;

/// The answer to an acknowledgement.
#[derive(Debug)]
pub struct Acknowledged {
    /// The next batch of the partition, if it was asked for and could be handed out with the same
    /// write.
    pub delivery: Option<Delivery>,
    /// The claim to go on with if there is no next batch yet.
    pub claim: Claim,
}

/// A batch has ended.
struct Settled {
    /// The batch that was handed out with the same write.
    next: Option<Delivery>,
}

impl Consumers {
    /// Acknowledges a batch. `next` is the largest number of changesets of the next batch, if the
    /// worker wants one.
    ///
    /// A repeat of an acknowledgement whose next batch is out changes nothing, and returns that
    /// batch. If there is no next batch in the answer, claim with [`Acknowledged::claim`].
    ///
    /// # Errors
    /// [`ConsumerError::Fenced`], [`ConsumerError::Invalid`], [`ConsumerError::NotFound`];
    /// [`Error::Storage`] if the storage fails.
    pub async fn acknowledge(
        &self,
        name: &ConsumerName,
        partition: u16,
        ack: &Ack,
        next: Option<usize>,
    ) -> Result<Acknowledged, Error> {
        let record = self.partition_of(name, partition).await?;
        let limit = next.filter(|_| record.definition.partitions == 1);
        let mut scan = Scan::new(&self.store, &record, page_limit(next.unwrap_or_default()));
        for _ in 0..ROUNDS {
            let load = self.records.partition(&record, partition);
            let ahead = scan.ahead(limit.map(|_| ack.checkpoint));
            let (loaded, ()) = try_join(load, ahead).await?;
            let fenced = |generation| fenced(partition, generation);
            let acked = loaded.state.judge(ack.generation).map_err(fenced)?;
            let batch = loaded.state.batch();
            let claim = Claim {
                worker: batch.map_or_else(String::new, |batch| batch.worker.clone()),
                limit: next.unwrap_or_default(),
                after: Some((partition, ack.generation)),
            };
            let delivery = match acked {
                Acked::Before if next.is_none() => None,
                Acked::Before => match self.again(&record, partition, &loaded).await? {
                    None => continue,
                    again => again,
                },
                Acked::Now => {
                    let taken = self.settle(&mut scan, partition, &loaded, ack, limit, &claim);
                    match taken.await? {
                        None => continue,
                        Some(settled) => settled.next,
                    }
                }
            };
            return Ok(Acknowledged { delivery, claim });
        }
        Err(busy())
    }

    /// Ends the batch and, with the same write, hands the next one out. `None` if the partition was
    /// changed meanwhile.
    async fn settle(
        &self,
        scan: &mut Scan<'_>,
        partition: u16,
        loaded: &Loaded,
        ack: &Ack,
        next: Option<usize>,
        claim: &Claim,
    ) -> Result<Option<Settled>, Error> {
        let record = scan.record;
        let members = if loaded.state.needs_members(ack) {
            scan.again(partition, loaded).await?.changesets
        } else {
            Vec::new()
        };
        let mut state = loaded.state.clone();
        let acked = state.ack(ack, &members, &record.definition, self.now());
        acked.map_err(|refusal| refused(partition, refusal))?;
        let mut delivery = None;
        if next.is_some() {
            for work in state.work(self.now()) {
                let from = state.checkpoint();
                let found = scan.look(partition, &state, &work, from).await?.found;
                if found.changesets.is_empty() {
                    continue;
                }
                let (worker, after) = (&claim.worker, Some(ack.generation));
                if let Some(generation) = state.take(&found, worker, after, self.now()) {
                    delivery = Some(Delivery::new(record, partition, generation, found));
                    break;
                }
            }
        }
        let swapped = self
            .records
            .swap(record, partition, loaded, state, self.now());
        Ok(swapped.await?.map(|_| Settled { next: delivery }))
    }

    /// The batch that is out, once more. `None` if the partition was changed meanwhile.
    async fn again(
        &self,
        record: &Record,
        partition: u16,
        loaded: &Loaded,
    ) -> Result<Option<Delivery>, Error> {
        let mut scan = Scan::new(&self.store, record, page_limit(MAX_BATCH));
        let found = scan.again(partition, loaded).await?;
        // The parked streams were read after the partition.
        let now = self.records.partition(record, partition).await?;
        let generation = loaded.state.generation();
        let same = now.revision == loaded.revision;
        Ok(same.then(|| Delivery::new(record, partition, generation, found)))
    }

    /// Gives a batch back: its changesets are handed out again, at once.
    ///
    /// # Errors
    /// [`ConsumerError::Fenced`], [`ConsumerError::NotFound`]; [`Error::Storage`] if the storage
    /// fails.
    pub async fn release(
        &self,
        name: &ConsumerName,
        partition: u16,
        generation: u64,
    ) -> Result<(), Error> {
        let record = self.partition_of(name, partition).await?;
        let release = |state: &mut PartitionState| {
            let released = state.release(generation);
            Ok(released.map_err(|now| fenced(partition, now))?)
        };
        self.change(&record, partition, release).await
    }

    /// Changes a partition, again if somebody else was first.
    pub(super) async fn change<T>(
        &self,
        record: &Record,
        partition: u16,
        change: impl Fn(&mut PartitionState) -> Result<T, Error>,
    ) -> Result<T, Error> {
        for _ in 0..ROUNDS {
            let loaded = self.records.partition(record, partition).await?;
            let mut state = loaded.state.clone();
            let result = change(&mut state)?;
            let swapped = self
                .records
                .swap(record, partition, &loaded, state, self.now());
            if swapped.await?.is_some() {
                return Ok(result);
            }
        }
        Err(busy())
    }

    /// The consumer, if it has such a partition.
    async fn partition_of(&self, name: &ConsumerName, partition: u16) -> Result<Record, Error> {
        let record = self.records.record(name).await?;
        let partitions = record.definition.partitions;
        if partition >= partitions {
            let message = format!("`partition` is {partition}: the consumer has {partitions}");
            return Err(ConsumerError::Invalid(message).into());
        }
        Ok(record)
    }
}

fn fenced(partition: u16, generation: u64) -> ConsumerError {
    measure::fenced();
    ConsumerError::Fenced {
        partition,
        generation,
    }
}

fn refused(partition: u16, refusal: AckRefusal) -> ConsumerError {
    match refusal {
        AckRefusal::Fenced(generation) => fenced(partition, generation),
        AckRefusal::Invalid(message) => ConsumerError::Invalid(message),
    }
}

fn busy() -> Error {
    let reason = "calls of one partition of a consumer compete";
    StorageError::unavailable(reason, Written::None).into()
}
