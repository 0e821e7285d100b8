//! The port that stores durable consumers.

use std::ops::Range;

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::{ConsumerStore, ParkedWrite, StoredPartition};
use rusqlite::{Connection, Params, Row, params};

use crate::SqliteStorage;
use crate::error::translate;
use crate::rows::{number, optional, text};

const LOAD: &str = "SELECT definition FROM consumers WHERE name = ?1";

const DEFINE: &str = "
    INSERT INTO consumers (name, definition) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";

const NAMES: &str = "SELECT name FROM consumers ORDER BY name";

const REMOVE: &str = "DELETE FROM consumers WHERE name = ?1 AND definition = ?2";

const REMOVE_PARTITIONS: &str = "DELETE FROM consumer_partitions WHERE consumer = ?1";

const REMOVE_PARKED: &str = "DELETE FROM consumer_parked WHERE consumer = ?1";

const PARTITIONS: &str = "
    SELECT partition, revision, document FROM consumer_partitions
    WHERE consumer = ?1 AND partition >= ?2 AND partition < ?3";

const PARKED: &str = "
    SELECT document FROM consumer_parked WHERE consumer = ?1 AND partition = ?2 AND slot = ?3";

const FIRST: &str = "
    INSERT INTO consumer_partitions (consumer, partition, revision, document)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT (consumer, partition) DO NOTHING";

const SWAP: &str = "
    UPDATE consumer_partitions SET revision = ?3, document = ?4
    WHERE consumer = ?1 AND partition = ?2 AND revision = ?5";

const PUT: &str = "
    INSERT INTO consumer_parked (consumer, partition, slot, document) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (consumer, partition, slot) DO UPDATE SET document = excluded.document";

const TAKE: &str = "
    DELETE FROM consumer_parked WHERE consumer = ?1 AND partition = ?2 AND slot = ?3";

#[async_trait]
impl ConsumerStore for SqliteStorage {
    async fn define_consumer(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<Option<String>, StorageError> {
        let row = (name.to_owned(), definition.to_owned());
        if self.write(DEFINE, row).await? == 1 {
            return Ok(None);
        }
        self.load_consumer(name).await
    }

    async fn load_consumer(&self, name: &str) -> Result<Option<String>, StorageError> {
        let name = name.to_owned();
        let load = move |connection: &_| {
            optional(connection, LOAD, [name], |row| Ok(text(row, 0)?.to_owned()))
        };
        self.readers.run(load).await
    }

    async fn consumer_names(&self) -> Result<Vec<String>, StorageError> {
        let load = |connection: &_| all(connection, NAMES, [], |row| Ok(text(row, 0)?.to_owned()));
        self.readers.run(load).await
    }

    async fn remove_consumer(
        &self,
        name: &str,
        definition: &str,
        id: &str,
        _: &[Vec<u16>],
    ) -> Result<bool, StorageError> {
        let (name, definition) = (name.to_owned(), definition.to_owned());
        let id = id.to_owned();
        self.writer
            .write(move |connection| {
                let removed = run(connection, REMOVE, params![name, definition])? == 1;
                if removed {
                    run(connection, REMOVE_PARTITIONS, [&id])?;
                    run(connection, REMOVE_PARKED, [&id])?;
                }
                Ok(removed)
            })
            .await
    }

    async fn load_partitions(
        &self,
        id: &str,
        partitions: Range<u16>,
    ) -> Result<Vec<Option<StoredPartition>>, StorageError> {
        let id = id.to_owned();
        let asked = partitions.clone();
        let load = move |connection: &_| {
            let range = params![id, asked.start, asked.end];
            all(connection, PARTITIONS, range, |row| {
                let partition: u64 = number(row, 0)?;
                let stored = StoredPartition {
                    revision: number(row, 1)?,
                    document: text(row, 2)?.to_owned(),
                };
                Ok((partition, stored))
            })
        };
        let mut found = self.readers.run(load).await?;
        let mut take = |number: u16| {
            let at = found.iter().position(|(of, _)| *of == u64::from(number));
            at.map(|at| found.swap_remove(at).1)
        };
        Ok(partitions.map(&mut take).collect())
    }

    async fn load_parked(
        &self,
        id: &str,
        partition: u16,
        slots: &[u16],
    ) -> Result<Vec<String>, StorageError> {
        let (id, slots) = (id.to_owned(), slots.to_vec());
        let load = move |connection: &Connection| {
            let found = slots.iter().map(|slot| {
                let row = params![id, partition, slot];
                optional(connection, PARKED, row, |row| Ok(text(row, 0)?.to_owned()))
            });
            found.filter_map(Result::transpose).collect()
        };
        self.readers.run(load).await
    }

    async fn swap_partition(
        &self,
        id: &str,
        partition: u16,
        previous: Option<u64>,
        next: &StoredPartition,
        parked: &[ParkedWrite],
    ) -> Result<bool, StorageError> {
        let (id, next, parked) = (id.to_owned(), next.clone(), parked.to_vec());
        self.writer
            .write(move |connection| {
                let revision = next.revision.cast_signed();
                let changed = match previous {
                    None => run(
                        connection,
                        FIRST,
                        params![id, partition, revision, next.document],
                    )?,
                    Some(previous) => {
                        let previous = previous.cast_signed();
                        let row = params![id, partition, revision, next.document, previous];
                        run(connection, SWAP, row)?
                    }
                };
                if changed == 1 {
                    for write in parked {
                        match write.document {
                            Some(document) => run(
                                connection,
                                PUT,
                                params![id, partition, write.slot, document],
                            )?,
                            None => run(connection, TAKE, params![id, partition, write.slot])?,
                        };
                    }
                }
                Ok(changed == 1)
            })
            .await
    }
}

fn run(connection: &Connection, statement: &str, row: impl Params) -> rusqlite::Result<usize> {
    connection.prepare_cached(statement)?.execute(row)
}

fn all<T>(
    connection: &Connection,
    statement: &str,
    row: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StorageError>,
) -> Result<Vec<T>, StorageError> {
    let mut statement = connection.prepare_cached(statement).map_err(translate)?;
    let rows = statement.query_map(row, |row| Ok(read(row)));
    let rows = rows.map_err(translate)?;
    rows.map(|row| row.map_err(translate)?).collect()
}
