//! Stores the index state in an item of the analysis table.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use ees_core::adapter::{ChangesetKey, IndexState, parse_number};
use ees_core::{ChangesetId, Checkpoint, StorageError, StreamId};

use crate::attempts::Attempts;
use crate::items::{Item, number, text};
use crate::layout::IndexPageSize;
use crate::schema::PROJECTION_ID;
use crate::stored_state::StoredState;
use crate::tables::{Guard, Tables, Transacted, count};
use crate::voids::Voids;

const STATE: &str = "ees:index";

pub(crate) const REV: &str = "rev";
const BASE: &str = "base";
const INTENT: &str = "intent";
const INDEX_PAGE: &str = "index_page";

/// The attribute of a state that an import owns. Its value does not matter.
const IMPORTING: &str = "importing";

impl Tables {
    /// The index state; `None` if there is no state.
    pub(crate) async fn find_state(&self) -> Result<Option<StoredState>, StorageError> {
        let item = self.analysis(STATE).await?;
        let read = |item: &Item| stored(item).ok_or_else(|| self.malformed(STATE));
        item.as_ref().map(read).transpose()
    }

    /// The index state. It is an error if there is none, or if it belongs to another table: pages of
    /// another size have other positions.
    pub(crate) async fn state(&self) -> Result<StoredState, StorageError> {
        let (analysis, events) = (&self.config.analysis_table, &self.config.events_table);
        let stored = self.find_state().await?.ok_or_else(|| {
            StorageError::Corrupt(format!(
                "table `{analysis}` has no index state (item `{STATE}`), so positions are unknown. \
                 Restore it together with table `{events}`, or run `ees admin rebuild-index`"
            ))
        })?;
        let size = stored.size;
        if size != self.layout.index_page {
            return Err(StorageError::Corrupt(format!(
                "the index state of table `{analysis}` has {} positions in a page, and it had {} when \
                 the store was opened. Open the store again",
                size.get(),
                self.layout.index_page.get()
            )));
        }
        Ok(stored)
    }

    /// The tables with the size of their index pages, from the index state. An empty store without a
    /// state gets its first, with pages of `size`, or else of the size that its layout has; `None` if
    /// a store without a state has changesets.
    pub(crate) async fn with_state(
        &self,
        size: Option<IndexPageSize>,
    ) -> Result<Option<Self>, StorageError> {
        let mut tables = self.clone();
        if let Some(found) = self.find_state().await? {
            tables.layout.index_page = found.size;
            return Ok(Some(tables));
        }
        let (items, next) = self.scan_page(self.scan().limit(1), None).await?;
        if !items.is_empty() || next.is_some() {
            return Ok(None);
        }
        tables.layout.index_page = size.unwrap_or(self.layout.index_page);
        let first = IndexState::default();
        if !tables.put_state(Guard::Absent, &first).await?
            && let Some(found) = self.find_state().await?
        {
            // Another process was faster.
            tables.layout.index_page = found.size;
        }
        Ok(Some(tables))
    }

    pub(crate) async fn put_state(
        &self,
        guard: Guard,
        state: &IndexState,
    ) -> Result<bool, StorageError> {
        self.swap(guard, state_item(state, self.layout.index_page))
            .await
    }

    /// Replaces the state of this `rev` by one that an import owns. `voids` are the writes of void
    /// positions that belong to the state: all is written, or nothing.
    pub(crate) async fn put_imported_state(
        &self,
        previous: u64,
        state: &IndexState,
        mut voids: Vec<TransactWriteItem>,
    ) -> Result<bool, StorageError> {
        let mut item = state_item(state, self.layout.index_page);
        item.insert(IMPORTING.to_owned(), AttributeValue::Bool(true));
        let guard = Guard::Number(REV, previous);
        if voids.is_empty() {
            return self.swap(guard, item).await;
        }
        voids.push(self.put_guarded(guard, item)?);
        let written = self.transact(&voids, &Attempts::default()).await?;
        Ok(matches!(written, Transacted::Done(_)))
    }

    /// Writes a state and its void positions in one transaction, if the stored state is the
    /// expected one.
    pub(crate) async fn put_state_and_voids(
        &self,
        previous: Option<u64>,
        state: &IndexState,
        voids: &Voids,
    ) -> Result<bool, StorageError> {
        let guard = previous.map_or(Guard::Absent, |previous| Guard::Number(REV, previous));
        let mut writes = self.replace_voids(voids).await?;
        writes.push(self.put_guarded(guard, state_item(state, self.layout.index_page))?);
        let written = self.transact(&writes, &Attempts::default()).await?;
        Ok(matches!(written, Transacted::Done(_)))
    }
}

fn state_item(state: &IndexState, size: IndexPageSize) -> Item {
    let member = |key: &ChangesetKey| {
        let (stream_id, changeset_id) = (key.stream_id.as_str(), key.changeset_id.get());
        [text(stream_id), number(changeset_id)]
    };
    let intent = state.intent.iter().flat_map(member).collect();
    let mut item = Item::from([
        (PROJECTION_ID.to_owned(), text(STATE)),
        (REV.to_owned(), number(state.rev)),
        (BASE.to_owned(), number(state.base.get())),
        (INTENT.to_owned(), AttributeValue::L(intent)),
    ]);
    if size != IndexPageSize::ORIGINAL {
        item.insert(INDEX_PAGE.to_owned(), number(size.get()));
    }
    item
}

/// The positions in a page of the index. A state without a size has that of the original.
fn index_page(item: &Item) -> Option<IndexPageSize> {
    if item.contains_key(INDEX_PAGE) {
        IndexPageSize::new(count(item, INDEX_PAGE)?)
    } else {
        Some(IndexPageSize::ORIGINAL)
    }
}

fn stored(item: &Item) -> Option<StoredState> {
    Some(StoredState {
        state: state(item)?,
        size: index_page(item)?,
        importing: item.contains_key(IMPORTING),
    })
}

fn state(item: &Item) -> Option<IndexState> {
    let intent = item.get(INTENT)?.as_l().ok()?.chunks(2);
    let member = |member: &[AttributeValue]| {
        let [stream_id, changeset_id] = member else {
            return None;
        };
        let changeset_id = parse_number(changeset_id.as_n().ok()?)?;
        Some(ChangesetKey {
            stream_id: StreamId::new(stream_id.as_s().ok()?).ok()?,
            changeset_id: ChangesetId::new(changeset_id).ok()?,
        })
    };
    Some(IndexState {
        rev: count(item, REV)?,
        base: Checkpoint::new(count(item, BASE)?).ok()?,
        intent: intent.map(member).collect::<Option<_>>()?,
    })
}
