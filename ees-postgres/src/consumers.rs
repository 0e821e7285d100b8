//! The port that stores durable consumers.

use std::ops::Range;

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::{ConsumerStore, ParkedWrite, StoredPartition};

use crate::PostgresStorage;
use crate::rows::{number, text};

const LOAD: &str = "SELECT definition FROM consumers WHERE name = $1";

const DEFINE: &str = "
    INSERT INTO consumers (name, definition) VALUES ($1, $2)
    ON CONFLICT (name) DO NOTHING RETURNING name";

const NAMES: &str = "SELECT name FROM consumers ORDER BY name";

const REMOVE: &str = "
    WITH removed AS (DELETE FROM consumers WHERE name = $1 AND definition = $2 RETURNING name),
    partitions AS (DELETE FROM consumer_partitions USING removed WHERE consumer = $3),
    parked AS (DELETE FROM consumer_parked USING removed WHERE consumer = $3)
    SELECT name FROM removed";

const PARTITIONS: &str = "
    SELECT partition, revision, document FROM consumer_partitions
    WHERE consumer = $1 AND partition >= $2 AND partition < $3";

const PARKED: &str = "
    SELECT document FROM consumer_parked
    WHERE consumer = $1 AND partition = $2 AND slot = ANY ($3)";

/// One statement, so that the parked streams change with the document or not at all. `$5` is the
/// revision that the document has to have.
macro_rules! swap {
    ($swap:literal) => {
        concat!(
            "WITH swapped AS (",
            $swap,
            " RETURNING consumer),
            put AS (INSERT INTO consumer_parked (consumer, partition, slot, document)
                SELECT $1, $2, new.slot, new.document
                FROM swapped, unnest($6::bigint[], $7::text[]) AS new (slot, document)
                ON CONFLICT (consumer, partition, slot) DO UPDATE SET document = excluded.document),
            taken AS (DELETE FROM consumer_parked USING swapped
                WHERE consumer_parked.consumer = $1 AND partition = $2 AND slot = ANY ($8))
            SELECT consumer FROM swapped"
        )
    };
}

const FIRST: &str = swap!(
    "INSERT INTO consumer_partitions (consumer, partition, revision, document)
     SELECT $1, $2, $3, $4 WHERE $5::bigint IS NULL ON CONFLICT (consumer, partition) DO NOTHING"
);

const SWAP: &str = swap!(
    "UPDATE consumer_partitions SET revision = $3, document = $4
     WHERE consumer = $1 AND partition = $2 AND revision = $5"
);

#[async_trait]
impl ConsumerStore for PostgresStorage {
    async fn define_consumer(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<Option<String>, StorageError> {
        let define = || sqlx::query(DEFINE).bind(name).bind(definition);
        if self.one(define).await?.is_some() {
            return Ok(None);
        }
        self.load_consumer(name).await
    }

    async fn load_consumer(&self, name: &str) -> Result<Option<String>, StorageError> {
        let row = self.one(|| sqlx::query(LOAD).bind(name)).await?;
        row.map(|row| Ok(text(&row, 0)?.to_owned())).transpose()
    }

    async fn consumer_names(&self) -> Result<Vec<String>, StorageError> {
        let rows = self.all(|| sqlx::query(NAMES)).await?;
        rows.iter()
            .map(|row| Ok(text(row, 0)?.to_owned()))
            .collect()
    }

    async fn remove_consumer(
        &self,
        name: &str,
        definition: &str,
        id: &str,
        _: &[Vec<u16>],
    ) -> Result<bool, StorageError> {
        let remove = || sqlx::query(REMOVE).bind(name).bind(definition).bind(id);
        Ok(self.one(remove).await?.is_some())
    }

    async fn load_partitions(
        &self,
        id: &str,
        partitions: Range<u16>,
    ) -> Result<Vec<Option<StoredPartition>>, StorageError> {
        let (first, end) = (i64::from(partitions.start), i64::from(partitions.end));
        let load = || sqlx::query(PARTITIONS).bind(id).bind(first).bind(end);
        let mut found: Vec<Option<StoredPartition>> = partitions.clone().map(|_| None).collect();
        for row in self.all(load).await? {
            let partition: u64 = number(&row, 0)?;
            let place = usize::try_from(partition).ok();
            let place = place.and_then(|at| at.checked_sub(usize::from(partitions.start)));
            let stored = StoredPartition {
                revision: number(&row, 1)?,
                document: text(&row, 2)?.to_owned(),
            };
            if let Some(place) = place.and_then(|at| found.get_mut(at)) {
                *place = Some(stored);
            }
        }
        Ok(found)
    }

    async fn load_parked(
        &self,
        id: &str,
        partition: u16,
        slots: &[u16],
    ) -> Result<Vec<String>, StorageError> {
        let slots: Vec<i64> = slots.iter().copied().map(i64::from).collect();
        let partition = i64::from(partition);
        let load = || {
            sqlx::query(PARKED)
                .bind(id)
                .bind(partition)
                .bind(slots.clone())
        };
        let rows = self.all(load).await?;
        rows.iter()
            .map(|row| Ok(text(row, 0)?.to_owned()))
            .collect()
    }

    async fn swap_partition(
        &self,
        id: &str,
        partition: u16,
        previous: Option<u64>,
        next: &StoredPartition,
        parked: &[ParkedWrite],
    ) -> Result<bool, StorageError> {
        let slots = |filled: bool| -> Vec<i64> {
            let writes = parked
                .iter()
                .filter(|write| write.document.is_some() == filled);
            writes.map(|write| i64::from(write.slot)).collect()
        };
        let documents = parked.iter().filter_map(|write| write.document.clone());
        let documents: Vec<String> = documents.collect();
        let swap = || {
            sqlx::query(if previous.is_some() { SWAP } else { FIRST })
                .bind(id)
                .bind(i64::from(partition))
                .bind(next.revision.cast_signed())
                .bind(&next.document)
                .bind(previous.map(u64::cast_signed))
                .bind(slots(true))
                .bind(documents.clone())
                .bind(slots(false))
        };
        Ok(self.one(swap).await?.is_some())
    }
}
