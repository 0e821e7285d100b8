//! What is stored of a consumer, as a copy of the store takes it along.

use super::records::{Record, read, write};
use super::state::MAX_PARKED_CHANGES;
use super::{Consumers, Parked, PartitionState};
use crate::adapter::{ParkedWrite, StoredPartition};
use crate::{Checkpoint, Error, StorageError, Written};

/// How often a partition is read again while its consumer changes it.
const TRIES: usize = 100;

/// A consumer as it is stored. The documents are kept as they are; only what is beyond the end of a
/// copy is taken back to its end, where the consumer gets it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerCopy {
    /// Its name.
    pub name: String,
    /// Its definition, as it is stored.
    pub definition: String,
}

/// A partition of a consumer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionCopy {
    /// The id of the consumer.
    pub id: String,
    /// Its number.
    pub number: u16,
    /// Its revision.
    pub revision: u64,
    /// Its document.
    pub document: String,
    /// Its parked streams, by slot.
    pub parked: Vec<(u16, String)>,
}

impl ConsumerCopy {
    /// The id of the consumer, and the number of its partitions.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if the definition cannot be read.
    pub fn partitions(&self) -> Result<(String, u16), StorageError> {
        let record: Record = read(&self.definition, &self.name)?;
        Ok((record.id, record.definition.partitions))
    }
}

impl Consumers {
    /// A consumer as it is stored, for a copy of the global order up to `end`; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails, or the definition cannot be read.
    pub async fn copy(&self, name: &str, end: Checkpoint) -> Result<Option<ConsumerCopy>, Error> {
        let Some(mut definition) = self.records.port.load_consumer(name).await? else {
            return Ok(None);
        };
        let record: Record = read(&definition, name)?;
        if record.start > end {
            definition = write(&Record {
                start: end,
                ..record
            })?;
        }
        let name = name.to_owned();
        Ok(Some(ConsumerCopy { name, definition }))
    }

    /// A partition as it is stored, for a copy of the global order up to `end`; `None` if nothing is
    /// stored of it.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails, a document cannot be read, or the partition changes too
    /// fast.
    pub async fn copy_partition(
        &self,
        id: &str,
        number: u16,
        end: Checkpoint,
    ) -> Result<Option<PartitionCopy>, Error> {
        let mut loaded = self.stored(id, number).await?;
        for _ in 0..TRIES {
            let Some(StoredPartition { revision, document }) = loaded else {
                return Ok(None);
            };
            let state: PartitionState = read(&document, id)?;
            let slots: Vec<_> = state.slots().iter().copied().collect();
            let parked = if slots.is_empty() {
                Vec::new()
            } else {
                self.records.port.load_parked(id, number, &slots).await?
            };
            loaded = self.stored(id, number).await?;
            let unchanged = loaded.as_ref().map(|stored| stored.revision) == Some(revision);
            if unchanged {
                return Ok(Some(up_to(end, id, number, revision, document, parked)?));
            }
        }
        let reason = format!("partition {number} of consumer `{id}` changes too fast to be copied");
        Err(StorageError::unavailable(reason, Written::None).into())
    }

    /// Whether the consumer of a copy can be stored here: nothing, or the same, stands under its name.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn has_room_for(&self, consumer: &ConsumerCopy) -> Result<bool, Error> {
        let stands = self.records.port.load_consumer(&consumer.name).await?;
        Ok(stands.is_none_or(|stands| stands == consumer.definition))
    }

    /// Stores the definition of a copied consumer, after its partitions. Returns whether it stands.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails. The call may be repeated.
    pub async fn put_copy(&self, consumer: &ConsumerCopy) -> Result<bool, Error> {
        let ConsumerCopy { name, definition } = consumer;
        let stands = self.records.port.define_consumer(name, definition).await?;
        Ok(stands.is_none_or(|stands| stands == *definition))
    }

    /// Stores a copied partition if nothing else is stored of it. Returns whether it stands.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails. The call may be repeated.
    pub async fn put_copied_partition(&self, partition: &PartitionCopy) -> Result<bool, Error> {
        let PartitionCopy {
            id,
            number,
            revision,
            document,
            parked,
        } = partition;
        let writes = parked.iter().map(|(slot, document)| ParkedWrite {
            slot: *slot,
            document: Some(document.clone()),
        });
        let writes: Vec<_> = writes.collect();
        // Only so many parked streams change at once. Until the last change the revision is a lower one.
        let chunks: Vec<_> = writes.chunks(MAX_PARKED_CHANGES).collect();
        let first = revision.saturating_sub(chunks.len().saturating_sub(1) as u64);
        let mut previous = None;
        if let Some(stored) = self.stored(id, *number).await? {
            let is_ours = stored.document == *document;
            if !is_ours || !(first..*revision).contains(&stored.revision) {
                return Ok(is_ours && stored.revision == *revision);
            }
            previous = Some(stored.revision);
        }
        // Those that a stopped call stored are stored again, with the last change.
        let next = previous.map_or(first, |previous| previous + 1);
        let skipped = usize::try_from(next - first).unwrap_or(usize::MAX);
        let rest = chunks.get(skipped..).unwrap_or_default();
        let no_chunk: [&[ParkedWrite]; 1] = [&[]];
        let rest = if rest.is_empty() { &no_chunk } else { rest };
        for (next, chunk) in (next..).zip(rest) {
            let stored = StoredPartition {
                revision: next,
                document: document.clone(),
            };
            let port = &self.records.port;
            if !port
                .swap_partition(id, *number, previous, &stored, chunk)
                .await?
            {
                return Ok(false);
            }
            previous = Some(next);
        }
        Ok(true)
    }

    async fn stored(&self, id: &str, number: u16) -> Result<Option<StoredPartition>, StorageError> {
        let port = &self.records.port;
        let loaded = port.load_partitions(id, number..number + 1).await?;
        Ok(loaded.into_iter().next().flatten())
    }
}

/// A partition with nothing beyond `end`.
fn up_to(
    end: Checkpoint,
    id: &str,
    number: u16,
    revision: u64,
    mut document: String,
    stored: Vec<String>,
) -> Result<PartitionCopy, StorageError> {
    let state: PartitionState = read(&document, id)?;
    let read_one = |one: &String| read::<Parked>(one, id);
    let entries: Vec<Parked> = stored.iter().map(read_one).collect::<Result<_, _>>()?;
    let is_beyond = |parked: &Parked| parked.position >= end;
    let mut parked: Vec<_> = entries.iter().map(|one| one.slot).zip(stored).collect();
    if state.checkpoint() > end
        || state.batch().is_some_and(|batch| batch.next > end)
        || state.stopped().is_some_and(is_beyond)
        || entries.iter().any(is_beyond)
    {
        let mut state = state.with_parked(entries);
        state.reset(end.min(state.checkpoint()));
        while state.drop_unreached() {}
        parked.retain(|(slot, _)| state.slots().contains(slot));
        document = write(&state)?;
    }
    parked.sort_unstable_by_key(|(slot, _)| *slot);
    Ok(PartitionCopy {
        id: id.to_owned(),
        number,
        revision,
        document,
        parked,
    })
}
