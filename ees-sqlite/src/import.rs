//! The port that writes a copy of another store's order.

use std::collections::HashMap;

use async_trait::async_trait;
use ees_core::adapter::{Import, ImportOutcome, check_import};
use ees_core::{Changeset, Checkpoint, GlobalPage, Head, StorageError, StreamId};
use rusqlite::Connection;

use crate::SqliteStorage;
use crate::client_keys::{FullBlock, fills_block};
use crate::error::translate;
use crate::rows::text;
use crate::{reads, state, voids, writer};

/// The most names in one answer.
const NAMES: &str = "
    SELECT subscription FROM checkpoints WHERE subscription > ?1 ORDER BY subscription LIMIT 1000";

#[async_trait]
impl Import for SqliteStorage {
    async fn begin_import(&self) -> Result<Checkpoint, StorageError> {
        self.readers.run(state::end).await
    }

    /// Appends the page in one transaction. Group commit reads anew what it remembers.
    async fn import(
        &self,
        from: Checkpoint,
        page: &GlobalPage,
    ) -> Result<ImportOutcome, StorageError> {
        let page = page.clone();
        let write = move |connection: &_| append(connection, from, &page);
        let outcome = self.write_unknown(write).await?;
        self.news.announce();
        Ok(outcome)
    }

    async fn finish_import(&self) -> Result<(), StorageError> {
        self.begin_import().await.map(drop)
    }

    async fn subscriptions(&self, after: &str) -> Result<Vec<String>, StorageError> {
        let after = after.to_owned();
        let list = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(NAMES).map_err(translate)?;
            let names = statement.query_map([after], |row| Ok(text(row, 0).map(str::to_owned)));
            let names = names.map_err(translate)?;
            names.map(|name| name.map_err(translate)?).collect()
        };
        self.readers.run(list).await
    }
}

/// Appends a page in the open transaction, or writes nothing.
fn append(
    connection: &Connection,
    from: Checkpoint,
    page: &GlobalPage,
) -> Result<ImportOutcome, StorageError> {
    let end = state::end(connection)?;
    if from != end {
        return Ok(ImportOutcome::EndsAt(end));
    }
    let heads = heads(connection, &page.changesets)?;
    if let Err(refusal) = check_import(heads, &page.changesets) {
        return Ok(ImportOutcome::Refused(refusal));
    }
    voids::insert(connection, &page.voids(from)).map_err(translate)?;
    writer::insert(connection, &page.changesets).map_err(translate)?;
    let last_of_blocks = page.changesets.iter();
    for last in last_of_blocks.filter(|one| fills_block(one.changeset_id)) {
        let block = FullBlock {
            stream_id: last.stream_id.clone(),
            last: last.changeset_id,
            keys: None,
        };
        block.file(connection).map_err(translate)?;
    }
    Ok(ImportOutcome::Imported)
}

/// The heads of the streams of changesets.
fn heads(
    connection: &Connection,
    changesets: &[Changeset],
) -> Result<HashMap<StreamId, Head>, StorageError> {
    let mut heads = HashMap::new();
    for changeset in changesets {
        // A later changeset of the page follows the first one, which follows the head.
        if heads.contains_key(&changeset.stream_id) {
            continue;
        }
        let head = reads::head(connection, &changeset.stream_id)?;
        heads.insert(changeset.stream_id.clone(), head);
    }
    let found = heads.into_iter();
    Ok(found
        .filter_map(|(stream, head)| Some((stream, head?)))
        .collect())
}
