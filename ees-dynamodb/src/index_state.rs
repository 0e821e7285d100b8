//! Stores the index state in an item of the analysis table.

use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::{ChangesetKey, IndexState, parse_number};
use ees_core::{ChangesetId, Checkpoint, StorageError, StreamId};

use crate::attempts::Attempts;
use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::{Guard, Tables, Transacted, count};
use crate::voids::Voids;

const STATE: &str = "ees:index";

pub(crate) const REV: &str = "rev";
const BASE: &str = "base";
const INTENT: &str = "intent";

impl Tables {
    /// The index state; `None` if there is none.
    pub(crate) async fn find_state(&self) -> Result<Option<IndexState>, StorageError> {
        let item = self.analysis(STATE).await?;
        let read = |item: &Item| state(item).ok_or_else(|| self.malformed(STATE));
        item.as_ref().map(read).transpose()
    }

    /// The index state. It is an error if there is none.
    pub(crate) async fn state(&self) -> Result<IndexState, StorageError> {
        self.find_state().await?.ok_or_else(|| {
            StorageError::Corrupt(format!(
                "table `{}` has no index state (item `{STATE}`), so positions are unknown. \
                 Restore it together with table `{}`, or run `ees admin rebuild-index`",
                self.config.analysis_table, self.config.events_table
            ))
        })
    }

    /// Whether the store has an index state. An empty store without one gets its first.
    pub(crate) async fn has_state(&self) -> Result<bool, StorageError> {
        if self.find_state().await?.is_some() {
            return Ok(true);
        }
        let (items, next) = self.scan_page(self.scan().limit(1), None).await?;
        if !items.is_empty() || next.is_some() {
            return Ok(false);
        }
        // If another process is faster, it writes the same state.
        self.put_state(Guard::Absent, &IndexState::default())
            .await?;
        Ok(true)
    }

    pub(crate) async fn put_state(
        &self,
        guard: Guard,
        state: &IndexState,
    ) -> Result<bool, StorageError> {
        self.swap(guard, state_item(state)).await
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
        writes.push(self.put_guarded(guard, state_item(state))?);
        let written = self.transact(&writes, &Attempts::default()).await?;
        Ok(matches!(written, Transacted::Done(_)))
    }
}

fn state_item(state: &IndexState) -> Item {
    let member = |key: &ChangesetKey| {
        let (stream_id, changeset_id) = (key.stream_id.as_str(), key.changeset_id.get());
        [text(stream_id), number(changeset_id)]
    };
    let intent = state.intent.iter().flat_map(member).collect();
    Item::from([
        (PROJECTION_ID.to_owned(), text(STATE)),
        (REV.to_owned(), number(state.rev)),
        (BASE.to_owned(), number(state.base.get())),
        (INTENT.to_owned(), AttributeValue::L(intent)),
    ])
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
