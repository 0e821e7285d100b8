//! The port that writes a copy of another store's order.
//!
//! The index state says that an import owns it. Its `base` is the end of the order: it moves, together
//! with the void positions, once all changesets of a page are written with their positions. What is
//! written beyond it belongs to no reader. The keys of such changesets are recorded before they are
//! written, so that an import that was given up leaves nothing behind.

mod page;
mod pending;
mod puts;

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;
use ees_core::adapter::{Import, ImportOutcome, IndexState, Storage};
use ees_core::{Checkpoint, GlobalPage, StorageError, Written};

use crate::DynamoStorage;
use crate::stored_state::StoredState;
use page::ImportedPage;

/// The most names in one answer of [`Import::subscriptions`].
const NAMES: usize = 1000;

#[async_trait]
impl Import for DynamoStorage {
    async fn begin_import(&self) -> Result<Checkpoint, StorageError> {
        let _open = self.enter().await?;
        let found = self.stored_state().await?;
        if !found.importing {
            self.tables.complete(&found.state).await?;
            self.tables.check_indexed().await?;
        }
        self.learn_voids(self.tables.voids().await?);
        // The next `rev`, also where an import goes on: one that still runs elsewhere fails now.
        self.own_state(&found, found.state.next(), Vec::new()).await
    }

    async fn import(
        &self,
        from: Checkpoint,
        page: &GlobalPage,
    ) -> Result<ImportOutcome, StorageError> {
        let _open = self.enter().await?;
        let found = self.stored_state().await?;
        if !found.importing {
            let reason = "no import has begun, or another process finished it";
            return Err(StorageError::unavailable(reason, Written::None));
        }
        let end = found.state.base;
        if end != from {
            return Ok(ImportOutcome::EndsAt(end));
        }
        let page = match ImportedPage::of(from, page, self.max_changeset_bytes()) {
            Ok(page) => page,
            Err(refusal) => return Ok(ImportOutcome::Refused(refusal)),
        };
        let Some(next) = page.next() else {
            return Ok(ImportOutcome::Imported);
        };
        if let Err(refusal) = self.tables.check_page(&page).await? {
            return Ok(ImportOutcome::Refused(refusal));
        }
        self.tables.record_pending(&page, next).await?;
        if let Err(refusal) = self.tables.put_page(&page).await? {
            self.tables.discard_pending(from).await?;
            return Ok(ImportOutcome::Refused(refusal));
        }
        self.tables.mark_page(&page).await?;
        self.extend_order(&found, &page, next).await?;
        self.news.announce();
        Ok(ImportOutcome::Imported)
    }

    async fn finish_import(&self) -> Result<(), StorageError> {
        let _open = self.enter().await?;
        let found = self.stored_state().await?;
        if !found.importing {
            return Ok(());
        }
        self.tables.discard_pending(found.state.base).await?;
        let next = following(&found.state, found.state.base);
        if !self.tables.end_import(found.state.rev, &next).await? {
            return Err(raced());
        }
        self.imports.learn(&StoredState {
            state: next,
            importing: false,
            ..found
        });
        Ok(())
    }

    /// A scan of the whole analysis table, since its items have no order. It keeps no more names than it
    /// answers.
    async fn subscriptions(&self, after: &str) -> Result<Vec<String>, StorageError> {
        let _open = self.enter().await?;
        let (mut names, mut start) = (BTreeSet::new(), None);
        loop {
            let (found, next) = self.tables.subscriptions_page(start).await?;
            names.extend(found.into_iter().filter(|name| name.as_str() > after));
            while names.len() > NAMES {
                names.pop_last();
            }
            if next.is_none() {
                return Ok(names.into_iter().collect());
            }
            start = next;
        }
    }
}

impl DynamoStorage {
    /// Moves the end of the order behind a page that is written, and records its void positions.
    async fn extend_order(
        &self,
        found: &StoredState,
        page: &ImportedPage<'_>,
        next: Checkpoint,
    ) -> Result<(), StorageError> {
        if page.voids.is_empty() {
            self.own_state(found, next, Vec::new()).await?;
            return Ok(());
        }
        let recorded = self.tables.voids().await?;
        let mut voids = recorded.clone();
        for range in &page.voids {
            voids.add(range.start.get(), range.end.get() - 1);
        }
        let writes = self.tables.add_voids(&recorded, &voids)?;
        self.own_state(found, next, writes).await?;
        self.learn_voids(voids);
        Ok(())
    }

    /// Swaps the state that was found for one that the import owns, with this end of the order.
    async fn own_state(
        &self,
        found: &StoredState,
        end: Checkpoint,
        voids: Vec<TransactWriteItem>,
    ) -> Result<Checkpoint, StorageError> {
        let next = following(&found.state, end);
        let previous = found.state.rev;
        if !self
            .tables
            .put_imported_state(previous, &next, voids)
            .await?
        {
            return Err(raced());
        }
        self.imports.learn(&StoredState {
            state: next,
            size: found.size,
            importing: true,
        });
        Ok(end)
    }
}

fn following(state: &IndexState, base: Checkpoint) -> IndexState {
    IndexState {
        rev: state.rev + 1,
        base,
        intent: Vec::new(),
    }
}

fn raced() -> StorageError {
    let reason = "the index state changed in the meantime: an indexer or another import is running";
    StorageError::unavailable(reason, Written::Unknown)
}
