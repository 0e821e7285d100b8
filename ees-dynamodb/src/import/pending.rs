//! Records which changesets an import is about to write beyond the end of the order.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::{ChangesetKey, parse_number};
use ees_core::{ChangesetId, Checkpoint, StorageError, StreamId, Written};
use futures_util::future::try_join_all;

use super::page::{ImportedPage, key};
use super::puts::AT_ONCE;
use crate::error::translate;
use crate::items::{self, Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;

/// The attribute of the entries: stream, changeset, position, stream ...
const ENTRIES: &str = "entries";

/// The size of an item's stream ids at which the next item begins, in bytes: with the numbers, about
/// 250 KB of the maximum of 400 KB.
const ITEM_BYTES: usize = 150_000;

/// The size of the numbers of an entry, at most, in bytes.
const NUMBERS_BYTES: usize = 48;

/// The changesets that may have been written, with their positions.
type Pending = BTreeMap<ChangesetKey, Checkpoint>;

fn id(place: usize) -> String {
    format!("ees:import:{place}")
}

impl Tables {
    /// Records the changesets of a page, which ends at `next`. What an earlier try recorded beyond it
    /// stays.
    pub(super) async fn record_pending(
        &self,
        page: &ImportedPage<'_>,
        next: Checkpoint,
    ) -> Result<(), StorageError> {
        let (mut pending, recorded) = self.pending().await?;
        pending.retain(|_, position| *position >= next);
        let members = page.members();
        pending.extend(members.map(|(changeset, position)| (key(changeset), position)));
        let items = entries(&pending);
        let unused = (items.len()..recorded).map(id).collect();
        for (place, entries) in items.into_iter().enumerate() {
            let put = self
                .client
                .put_item()
                .table_name(&self.config.analysis_table)
                .item(PROJECTION_ID, text(id(place)))
                .item(ENTRIES, AttributeValue::L(entries));
            let put = put.send().await;
            put.map_err(|error| translate("PutItem", &error, Written::None))?;
        }
        self.remove_analysis(unused).await
    }

    /// Removes what was written beyond the end of the order, and then its record.
    pub(super) async fn discard_pending(&self, end: Checkpoint) -> Result<(), StorageError> {
        let (pending, recorded) = self.pending().await?;
        let beyond = pending.iter().filter(|(_, position)| **position >= end);
        let beyond: Vec<_> = beyond.collect();
        for pending in beyond.chunks(AT_ONCE) {
            let removed = pending
                .iter()
                .map(|(key, position)| self.remove_imported(key, **position));
            try_join_all(removed).await?;
        }
        self.remove_analysis((0..recorded).map(id).collect()).await
    }

    /// The recorded changesets, and in how many items they are.
    async fn pending(&self) -> Result<(Pending, usize), StorageError> {
        let mut pending = Pending::new();
        for place in 0.. {
            let Some(item) = self.analysis(&id(place)).await? else {
                return Ok((pending, place));
            };
            let read = read(&item).ok_or_else(|| self.malformed(&id(place)))?;
            pending.extend(read);
        }
        Ok((pending, 0))
    }

    /// Removes a changeset if it has this position.
    async fn remove_imported(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<(), StorageError> {
        let (page, page_item) = self.layout.index_page.place(position);
        let delete = self
            .client
            .delete_item()
            .table_name(&self.config.events_table)
            .set_key(Some(items::key(key)))
            .condition_expression("#page = :page AND page_item = :item")
            .expression_attribute_names("#page", items::PAGE)
            .expression_attribute_values(":page", number(page))
            .expression_attribute_values(":item", number(page_item));
        let Err(error) = delete.send().await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(translate("DeleteItem", &error, Written::None)),
        }
    }
}

/// The entries of the items that record these changesets.
fn entries(pending: &Pending) -> Vec<Vec<AttributeValue>> {
    let (mut items, mut room) = (Vec::new(), 0);
    for (key, position) in pending {
        let size = key.stream_id.as_str().len() + NUMBERS_BYTES;
        if room < size {
            items.push(Vec::new());
            room = ITEM_BYTES;
        }
        room -= size;
        if let Some(item) = items.last_mut() {
            item.extend([
                text(key.stream_id.as_str()),
                number(key.changeset_id.get()),
                number(position.get()),
            ]);
        }
    }
    items
}

fn read(item: &Item) -> Option<Pending> {
    let entries = item.get(ENTRIES)?.as_l().ok()?.chunks(3);
    let entry = |entry: &[AttributeValue]| {
        let [stream_id, changeset_id, position] = entry else {
            return None;
        };
        let number = |value: &AttributeValue| parse_number(value.as_n().ok()?);
        let key = ChangesetKey {
            stream_id: StreamId::new(stream_id.as_s().ok()?).ok()?,
            changeset_id: ChangesetId::new(number(changeset_id)?).ok()?,
        };
        Some((key, Checkpoint::new(number(position)?).ok()?))
    };
    entries.map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changesets_are_recorded_in_items_of_a_bounded_size() {
        let key = |n: u64| ChangesetKey {
            stream_id: StreamId::new(&format!("{n:01000}")).unwrap(),
            changeset_id: ChangesetId::new(n).unwrap(),
        };
        let pending: Pending = (1..=1000)
            .map(|n| (key(n), Checkpoint::new(n).unwrap()))
            .collect();
        let items = entries(&pending);
        assert_eq!(items.len(), 7);
        let item = |entries| Item::from([(ENTRIES.to_owned(), AttributeValue::L(entries))]);
        let back = items
            .into_iter()
            .flat_map(|item_of| read(&item(item_of)).unwrap());
        assert_eq!(back.collect::<Pending>(), pending);
        assert_eq!(entries(&Pending::new()), Vec::<Vec<AttributeValue>>::new());
    }
}
