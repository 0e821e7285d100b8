//! The port that stores durable consumers, in items of the analysis table.
//!
//! One item names all consumers. Each definition, each partition and each parked stream has an item
//! of its own.

mod items;

use std::ops::Range;

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::{ConsumerStore, ParkedWrite, StoredPartition};

use crate::DynamoStorage;
use crate::attempts::Attempts;
use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::{Guard, Transacted, count};
use items::{
    CONSUMERS, DEFINITION, DOCUMENT, NAMES, REVISION, definition_id, parked_id, partition_id,
};

#[async_trait]
impl ConsumerStore for DynamoStorage {
    async fn define_consumer(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<Option<String>, StorageError> {
        let _open = self.enter().await?;
        // The name first: a name without a definition is left out of the list.
        self.tables.list_consumer(name, true).await?;
        let item = Item::from([
            (PROJECTION_ID.to_owned(), text(definition_id(name))),
            (DEFINITION.to_owned(), text(definition)),
        ]);
        if self.tables.swap(Guard::Absent, item).await? {
            return Ok(None);
        }
        self.definition(name).await
    }

    async fn load_consumer(&self, name: &str) -> Result<Option<String>, StorageError> {
        let _open = self.enter().await?;
        self.definition(name).await
    }

    async fn consumer_names(&self) -> Result<Vec<String>, StorageError> {
        let _open = self.enter().await?;
        let Some(item) = self.tables.analysis(CONSUMERS).await? else {
            return Ok(Vec::new());
        };
        let names = item.get(NAMES).and_then(|names| names.as_ss().ok());
        let mut names = names.cloned().unwrap_or_default();
        let ids: Vec<String> = names.iter().map(|name| definition_id(name)).collect();
        let found = self.tables.analysis_items(&ids).await?;
        names.retain(|name| found.contains_key(&definition_id(name)));
        names.sort();
        Ok(names)
    }

    async fn remove_consumer(
        &self,
        name: &str,
        definition: &str,
        id: &str,
        slots: &[Vec<u16>],
    ) -> Result<bool, StorageError> {
        let _open = self.enter().await?;
        let removed = self.tables.remove_definition(name, definition).await?;
        if removed {
            self.tables.list_consumer(name, false).await?;
            let partitions = (0..).zip(slots).flat_map(|(partition, slots)| {
                let parked = slots
                    .iter()
                    .map(move |slot| parked_id(id, partition, *slot));
                parked.chain([partition_id(id, partition)])
            });
            self.tables.remove_analysis(partitions.collect()).await?;
        }
        Ok(removed)
    }

    async fn load_partitions(
        &self,
        id: &str,
        partitions: Range<u16>,
    ) -> Result<Vec<Option<StoredPartition>>, StorageError> {
        let _open = self.enter().await?;
        let ids: Vec<String> = partitions.map(|number| partition_id(id, number)).collect();
        let mut found = self.tables.analysis_items(&ids).await?;
        let stored = ids.iter().map(|id| {
            let item = found.remove(id);
            let read = |item: Item| {
                Some(StoredPartition {
                    revision: count(&item, REVISION)?,
                    document: item.get(DOCUMENT)?.as_s().ok()?.clone(),
                })
            };
            item.map(|item| read(item).ok_or_else(|| self.tables.malformed(id)))
                .transpose()
        });
        stored.collect()
    }

    async fn load_parked(
        &self,
        id: &str,
        partition: u16,
        slots: &[u16],
    ) -> Result<Vec<String>, StorageError> {
        let _open = self.enter().await?;
        let ids = slots.iter().map(|slot| parked_id(id, partition, *slot));
        let ids: Vec<String> = ids.collect();
        let found = self.tables.analysis_items(&ids).await?;
        let parked = found.into_iter().map(|(id, item)| {
            let document = item.get(DOCUMENT).and_then(|text| text.as_s().ok());
            document.cloned().ok_or_else(|| self.tables.malformed(&id))
        });
        parked.collect()
    }

    async fn swap_partition(
        &self,
        id: &str,
        partition: u16,
        previous: Option<u64>,
        next: &StoredPartition,
        parked: &[ParkedWrite],
    ) -> Result<bool, StorageError> {
        let _open = self.enter().await?;
        let item = Item::from([
            (PROJECTION_ID.to_owned(), text(partition_id(id, partition))),
            (REVISION.to_owned(), number(next.revision)),
            (DOCUMENT.to_owned(), text(&next.document)),
        ]);
        let guard = previous.map_or(Guard::Absent, |previous| Guard::Number(REVISION, previous));
        if parked.is_empty() {
            return self.tables.swap(guard, item).await;
        }
        let mut writes = vec![self.tables.put_guarded(guard, item)?];
        for write in parked {
            let id = parked_id(id, partition, write.slot);
            writes.push(self.tables.parked(id, write.document.as_deref())?);
        }
        // A retry by the SDK has the token of the first attempt, and succeeds if that did.
        let written = self.tables.transact(&writes, &Attempts::default()).await?;
        Ok(matches!(written, Transacted::Done(_)))
    }
}

impl DynamoStorage {
    async fn definition(&self, name: &str) -> Result<Option<String>, StorageError> {
        let id = definition_id(name);
        let Some(item) = self.tables.analysis(&id).await? else {
            return Ok(None);
        };
        let definition = item.get(DEFINITION).and_then(|text| text.as_s().ok());
        let definition = definition.ok_or_else(|| self.tables.malformed(&id))?;
        Ok(Some(definition.clone()))
    }
}
