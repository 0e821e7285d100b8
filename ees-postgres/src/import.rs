//! The port that writes a copy of another store's order.

use std::collections::HashSet;

use async_trait::async_trait;
use ees_core::adapter::{Import, ImportOutcome, Storage, check_import};
use ees_core::{Checkpoint, GlobalPage, StorageError};
use sqlx::PgConnection;

use crate::PostgresStorage;
use crate::error::translate;
use crate::readers::Statement;
use crate::rows::text;
use crate::session::patiently;
use crate::{voids, writer};

/// At most 1000 names.
const NAMES: &str = "
    SELECT subscription FROM checkpoints WHERE subscription > $1 ORDER BY subscription LIMIT 1000";

#[async_trait]
impl Import for PostgresStorage {
    async fn begin_import(&self) -> Result<Checkpoint, StorageError> {
        self.next_checkpoint().await
    }

    /// Appends the page in one transaction, under the store's lock.
    async fn import(
        &self,
        from: Checkpoint,
        page: &GlobalPage,
    ) -> Result<ImportOutcome, StorageError> {
        let mut transaction = self.exclusive.begin().await?;
        let outcome = append(&mut transaction.connection, from, page).await?;
        if outcome == ImportOutcome::Imported {
            let committed = transaction.commit().await;
            // Announces the page even if the answer was lost, since it may be stored.
            self.wake.announce();
            committed?;
        } else {
            transaction.rollback().await;
        }
        Ok(outcome)
    }

    async fn finish_import(&self) -> Result<(), StorageError> {
        self.exclusive.rest().await;
        self.next_checkpoint().await.map(drop)
    }

    async fn subscriptions(&self, after: &str) -> Result<Vec<String>, StorageError> {
        let rows = self.all(|| sqlx::query(NAMES).bind(after)).await?;
        let names = rows.iter().map(|row| Ok(text(row, 0)?.to_owned()));
        names.collect()
    }
}

/// Appends a page in the open transaction, or writes nothing.
async fn append(
    connection: &mut PgConnection,
    from: Checkpoint,
    page: &GlobalPage,
) -> Result<ImportOutcome, StorageError> {
    let streams = page.changesets.iter().map(|one| one.stream_id.as_str());
    let streams: HashSet<&str> = streams.collect();
    let heads = sqlx::query(writer::HEADS).bind(Vec::from_iter(streams));
    let rows = patiently(heads.fetch_all(&mut *connection)).await;
    let found = writer::snapshot(&rows.map_err(translate)?, &[])?;
    if from != found.next_checkpoint {
        return Ok(ImportOutcome::EndsAt(found.next_checkpoint));
    }
    if let Err(refusal) = check_import(found.heads, &page.changesets) {
        return Ok(ImportOutcome::Refused(refusal));
    }
    let voids = page.voids(from);
    if !voids.is_empty() {
        execute(connection, voids::insert(&voids)).await?;
    }
    execute(connection, writer::insert(&page.changesets)).await?;
    Ok(ImportOutcome::Imported)
}

async fn execute(
    connection: &mut PgConnection,
    statement: Statement<'_>,
) -> Result<(), StorageError> {
    let done = patiently(statement.execute(connection)).await;
    done.map(drop).map_err(translate)
}
