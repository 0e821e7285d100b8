//! Reads a page of the global index, with the changesets of its entries.

use std::collections::HashMap;

use ees_core::adapter::{ChangesetKey, PageBuilder};
use ees_core::{Changeset, Checkpoint, Page, PageLimit, StorageError};
use futures_util::future::try_join_all;

use crate::DynamoStorage;
use crate::items::{self, Item, number};
use crate::tables::{Part, Tables, page};

/// The number of keys in one of the requests that fetch changesets at the same time.
const KEYS_AT_ONCE: usize = 25;

/// Entries of the index.
struct Entries {
    items: Vec<Item>,
    /// Whether this page of the index has more.
    more: bool,
}

impl DynamoStorage {
    /// Reads from the page of the index that has this position. The result ends where that page
    /// ends, or earlier.
    pub(crate) async fn read_index_page(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, StorageError> {
        let holds_all = self.tables.layout.index_holds_all;
        let most = if holds_all {
            limit.max_items()
        } else {
            limit.max_items().min(self.fetched_size.fit())
        };
        let mut entries = self.tables.query_index(from, most).await?;
        let mut last = None;
        let mut positions = Vec::new();
        let mut kept = Vec::new();
        let bound = self.imports.bound();
        let voids = self.known_voids();
        for item in std::mem::take(&mut entries.items) {
            let position = self.tables.position_of(&item)?;
            if bound.is_some_and(|bound| position >= bound) {
                // An import writes it, and it does not belong to the order yet.
                entries.more = false;
                break;
            }
            if voids.past(position) == position {
                last = Some(position);
                positions.push(position);
                kept.push(item);
            }
        }
        let changesets = if holds_all {
            let pages = self.tables.layout.index_page;
            let whole = kept.iter().map(|item| items::positioned(item, pages));
            whole.collect::<Result<Vec<_>, _>>()?
        } else {
            self.tables.fetch_entries(&kept, &positions).await?
        };
        if !holds_all {
            self.fetched_size.learn(&changesets);
        }
        Ok(self.fill(changesets, last, entries.more, limit))
    }

    /// Builds a page. `more` is whether this page of the index has more.
    fn fill(
        &self,
        changesets: Vec<Changeset>,
        last: Option<Checkpoint>,
        more: bool,
        limit: PageLimit,
    ) -> Page<Changeset> {
        let mut page = PageBuilder::new(limit);
        for changeset in changesets {
            if !page.push_changeset(changeset) {
                return page.finish();
            }
        }
        // The next page of the index begins after the last item of this one.
        let pages = self.tables.layout.index_page;
        let at_end = last.is_some_and(|last| pages.place(last).1 == pages.get() - 1);
        if last.is_some() && (more || at_end) {
            page.more_remains();
        }
        page.finish()
    }
}

impl Tables {
    /// Sends one query for at most `most` entries of a page of the index.
    async fn query_index(&self, from: Checkpoint, most: usize) -> Result<Entries, StorageError> {
        let (index_page, index_item) = self.layout.index_page.place(from);
        let one_more = i32::try_from(most).unwrap_or(i32::MAX).saturating_add(1);
        let query = self
            .client
            .query()
            .table_name(&self.config.events_table)
            .index_name(&self.config.indexes.enumeration)
            .key_condition_expression("#page = :page AND page_item >= :item")
            .expression_attribute_names("#page", items::PAGE)
            .expression_attribute_values(":page", number(index_page))
            .expression_attribute_values(":item", number(index_item))
            .limit(one_more);
        let (mut items, next) = page(query, None).await?;
        let more = next.is_some() || items.len() > most;
        items.truncate(most);
        Ok(Entries { items, more })
    }

    fn position_of(&self, entry: &Item) -> Result<Checkpoint, StorageError> {
        let position = items::position(entry, self.layout.index_page)?;
        position.ok_or_else(|| {
            let index = &self.config.indexes.enumeration;
            StorageError::Corrupt(format!("an entry of index `{index}` has no position"))
        })
    }

    /// Fetches the changesets of entries that hold keys, in their order. The reads are eventually
    /// consistent. A changeset that they do not show with its position is read again consistently.
    async fn fetch_entries(
        &self,
        entries: &[Item],
        positions: &[Checkpoint],
    ) -> Result<Vec<Changeset>, StorageError> {
        let keys: Result<Vec<_>, _> = entries.iter().map(items::key_of).collect();
        let keys = keys?;
        let pieces = keys.chunks(KEYS_AT_ONCE);
        let pieces = try_join_all(pieces.map(|keys| self.batch_lately(keys))).await?;
        let mut found: HashMap<ChangesetKey, Item> = pieces.into_iter().flatten().collect();
        let is_stale = |(key, position): &(&ChangesetKey, &Checkpoint)| {
            let item = found.get(*key);
            let shown = item.map(|item| items::position(item, self.layout.index_page));
            shown != Some(Ok(Some(**position)))
        };
        let stale = keys.iter().zip(positions).filter(is_stale);
        let stale: Vec<ChangesetKey> = stale.map(|(key, _)| key.clone()).collect();
        if !stale.is_empty() {
            for key in &stale {
                found.remove(key);
            }
            found.extend(self.batch(&stale, Part::Whole).await?);
        }
        let changesets = keys.iter().zip(positions);
        changesets
            .map(|(key, position)| self.as_indexed(key, *position, found.get(key)))
            .collect()
    }

    /// The changeset of an entry, if it has the position of the entry.
    fn as_indexed(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
        found: Option<&Item>,
    ) -> Result<Changeset, StorageError> {
        let index = &self.config.indexes.enumeration;
        let wrong = |found: String| {
            StorageError::Corrupt(format!(
                "index `{index}` has {key} at position {position}, but {found}"
            ))
        };
        let item = found.ok_or_else(|| wrong("the changeset does not exist".to_owned()))?;
        let changeset = items::positioned(item, self.layout.index_page)?;
        match changeset.checkpoint {
            Some(found) if found == position => Ok(changeset),
            Some(found) => Err(wrong(format!("the changeset has position {found}"))),
            None => Err(wrong("the changeset has no position".to_owned())),
        }
    }
}
