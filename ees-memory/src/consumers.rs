//! The port that stores durable consumers.

use std::collections::BTreeMap;
use std::ops::Range;

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::{ConsumerStore, ParkedWrite, StoredPartition};

use crate::MemoryStorage;
use crate::stored_consumers::Partition;

#[async_trait]
impl ConsumerStore for MemoryStorage {
    async fn define_consumer(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<Option<String>, StorageError> {
        self.with_state(|state| {
            let definitions = &mut state.consumers.definitions;
            let stands = definitions.get(name).cloned();
            if stands.is_none() {
                definitions.insert(name.to_owned(), definition.to_owned());
            }
            stands
        })
    }

    async fn load_consumer(&self, name: &str) -> Result<Option<String>, StorageError> {
        self.with_state(|state| state.consumers.definitions.get(name).cloned())
    }

    async fn consumer_names(&self) -> Result<Vec<String>, StorageError> {
        self.with_state(|state| state.consumers.definitions.keys().cloned().collect())
    }

    async fn remove_consumer(
        &self,
        name: &str,
        definition: &str,
        id: &str,
        _: &[Vec<u16>],
    ) -> Result<bool, StorageError> {
        self.with_state(|state| {
            let consumers = &mut state.consumers;
            let found = consumers.definitions.get(name).map(String::as_str) == Some(definition);
            if found {
                consumers.definitions.remove(name);
                consumers.partitions.retain(|(of, _), _| of != id);
            }
            found
        })
    }

    async fn load_partitions(
        &self,
        id: &str,
        partitions: Range<u16>,
    ) -> Result<Vec<Option<StoredPartition>>, StorageError> {
        self.with_state(|state| {
            let stored = |number| state.consumers.partitions.get(&(id.to_owned(), number));
            let stored = partitions.map(stored);
            stored
                .map(|one| one.map(|one| one.stored.clone()))
                .collect()
        })
    }

    async fn load_parked(
        &self,
        id: &str,
        partition: u16,
        slots: &[u16],
    ) -> Result<Vec<String>, StorageError> {
        self.with_state(|state| {
            let found = state.consumers.partitions.get(&(id.to_owned(), partition));
            let parked = |slot| found.and_then(|found| found.parked.get(slot).cloned());
            slots.iter().filter_map(parked).collect()
        })
    }

    async fn swap_partition(
        &self,
        id: &str,
        partition: u16,
        previous: Option<u64>,
        next: &StoredPartition,
        parked: &[ParkedWrite],
    ) -> Result<bool, StorageError> {
        self.with_state(|state| {
            let key = (id.to_owned(), partition);
            let found = state.consumers.partitions.remove(&key);
            let unchanged = found.as_ref().map(|found| found.stored.revision) == previous;
            let mut after = match found {
                Some(found) => found,
                None if !unchanged => return false,
                None => Partition {
                    stored: next.clone(),
                    parked: BTreeMap::new(),
                },
            };
            if unchanged {
                after.stored = next.clone();
                for write in parked {
                    match &write.document {
                        Some(document) => after.parked.insert(write.slot, document.clone()),
                        None => after.parked.remove(&write.slot),
                    };
                }
            }
            state.consumers.partitions.insert(key, after);
            unchanged
        })
    }
}
