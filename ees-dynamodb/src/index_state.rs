//! Stores the index state in an item of the analysis table.

use std::sync::Arc;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use ees_core::adapter::{ChangesetKey, IndexState, parse_number};
use ees_core::{ChangesetId, Checkpoint, StorageError, StreamId};

use crate::attempts::Attempts;
use crate::error::translate;
use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::{ABSENT, Guard, Tables, count};
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
        let put = Put::builder()
            .table_name(&self.config.analysis_table)
            .set_item(Some(state_item(state)));
        let put = match previous {
            None => put.condition_expression(ABSENT),
            Some(previous) => put
                .condition_expression(format!("{REV} = :previous"))
                .expression_attribute_values(":previous", number(previous)),
        };
        let put = put.build();
        let put = put.map_err(|error| StorageError::Backend(Arc::new(error)))?;
        let mut writes = self.replace_voids(voids).await?;
        writes.push(TransactWriteItem::builder().put(put).build());
        let attempts = Attempts::default();
        let write = self.client.transact_write_items();
        let write = write.set_transact_items(Some(writes)).customize();
        let Err(error) = write.interceptor(attempts.clone()).send().await else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled))
                if was_refused(cancelled) =>
            {
                Ok(false)
            }
            _ => Err(translate("TransactWriteItems", &error, attempts.written())),
        }
    }
}

/// Whether a transaction was refused because a condition did not hold.
pub(crate) fn was_refused(cancelled: &TransactionCanceledException) -> bool {
    let mut reasons = cancelled.cancellation_reasons().iter();
    reasons.any(|reason| reason.code() == Some("ConditionalCheckFailed"))
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
