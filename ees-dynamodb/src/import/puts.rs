//! The requests of an import.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use ees_core::adapter::{ClientKey, IndexState};
use ees_core::{Changeset, Checkpoint, StorageError, Written};
use futures_util::future::{join_all, try_join_all};

use super::page::{ImportedPage, key};
use crate::checkpoints::SUBSCRIPTION;
use crate::error::translate;
use crate::index_state::REV;
use crate::items::{self, Item, text};
use crate::schema::PROJECTION_ID;
use crate::tables::{Guard, NO_CHANGESET, Tables};

/// How many items are written at once.
pub(super) const AT_ONCE: usize = 32;

/// What became of a changeset: it is stored, or it is refused, and why.
type Stored = Result<(), String>;

impl Tables {
    /// Looks for a changeset without a position, by a consistent scan of the events table.
    pub(super) async fn check_indexed(&self) -> Result<(), StorageError> {
        let without = "attribute_not_exists(#page)";
        let mut start = None;
        loop {
            let scan = self.scan().filter_expression(without);
            let (found, next) = self.scan_page(scan, start).await?;
            let changesets = found.iter().filter(|item| !items::is_reserved(item));
            let mut keys =
                changesets.filter_map(|item| items::unindexed(item, self.layout.index_page).ok());
            if let Some((key, _)) = keys.next() {
                let reason = format!(
                    "{key} has no position in the global order yet. Let an indexer run, and a sweep if \
                     that is not enough; then begin the import again"
                );
                return Err(StorageError::unavailable(reason, Written::None));
            }
            if next.is_none() {
                return Ok(());
            }
            start = next;
        }
    }

    /// Writes the changesets of a page, each if there is none with its id, or the same one.
    pub(super) async fn put_page(&self, page: &ImportedPage<'_>) -> Result<Stored, StorageError> {
        let members: Vec<_> = page.members().collect();
        for members in members.chunks(AT_ONCE) {
            // No request may be on its way when another call looks at what is written.
            let puts = members.iter().map(|(one, at)| self.put_imported(one, *at));
            let puts: Result<Vec<Stored>, _> = join_all(puts).await.into_iter().collect();
            if let Some(refusal) = puts?.into_iter().find_map(Stored::err) {
                return Ok(Err(refusal));
            }
        }
        Ok(Ok(()))
    }

    async fn put_imported(
        &self,
        changeset: &Changeset,
        position: Checkpoint,
    ) -> Result<Stored, StorageError> {
        let item = items::indexed_item(changeset, position, self.layout.index_page);
        let put = self
            .client
            .put_item()
            .table_name(&self.config.events_table)
            .set_item(Some(item.clone()))
            .condition_expression(NO_CHANGESET)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else {
            return Ok(Ok(()));
        };
        let key = key(changeset);
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(if failed.item() == Some(&item) {
                    Ok(())
                } else {
                    Err(format!(
                        "{key} exists in the store, with another content or another position: something \
                         else wrote to the store"
                    ))
                })
            }
            Some(PutItemError::ItemCollectionSizeLimitExceededException(_)) => Ok(Err(format!(
                "{key} does not fit: with local indexes a stream has at most 10 GB"
            ))),
            // The changeset is no commit that somebody waits for, and the page can be repeated.
            _ => Err(translate("PutItem", &error, Written::None)),
        }
    }

    /// Writes the markers of the clients' keys of a page.
    pub(super) async fn mark_page(&self, page: &ImportedPage<'_>) -> Result<(), StorageError> {
        let keys = page.changesets.iter().filter_map(|changeset| {
            let key = ClientKey::of(&changeset.stream_id, &changeset.commit_id)?;
            Some((key, changeset.changeset_id))
        });
        let keys: Vec<_> = keys.collect();
        for keys in keys.chunks(AT_ONCE) {
            try_join_all(keys.iter().map(|(key, id)| self.remark(key, *id))).await?;
        }
        Ok(())
    }

    /// Swaps the state for one that no import owns.
    pub(super) async fn end_import(
        &self,
        previous: u64,
        next: &IndexState,
    ) -> Result<bool, StorageError> {
        self.put_state(Guard::Number(REV, previous), next).await
    }

    /// Names of subscriptions, from one request of a scan of the analysis table, and the key at which
    /// the scan continues.
    pub(super) async fn subscriptions_page(
        &self,
        start: Option<Item>,
    ) -> Result<(Vec<String>, Option<Item>), StorageError> {
        let scan = self
            .client
            .scan()
            .table_name(&self.config.analysis_table)
            .consistent_read(true)
            .projection_expression(PROJECTION_ID)
            .filter_expression("begins_with(projection_id, :prefix)")
            .expression_attribute_values(":prefix", text(SUBSCRIPTION));
        let (items, next) = self.scan_page(scan, start).await?;
        let name = |item: Item| {
            let id = item.get(PROJECTION_ID)?.as_s().ok()?;
            id.strip_prefix(SUBSCRIPTION).map(str::to_owned)
        };
        Ok((items.into_iter().filter_map(name).collect(), next))
    }
}
