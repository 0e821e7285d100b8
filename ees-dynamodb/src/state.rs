//! The analysis table: the indexer's state, the statistics, subscriptions' checkpoints.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use ees_core::adapter::{ChangesetKey, IndexState, StatisticsStore, parse_number};
use ees_core::{
    ChangesetId, Checkpoint, CheckpointStore, MAX_ID, Statistics, StorageError, StreamId, Written,
};

use crate::DynamoStorage;
use crate::attempts::Attempts;
use crate::error::translate;
use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;
use crate::voids::Voids;

const STATE: &str = "ees:index";
const STATISTICS: &str = "ees:statistics";

/// The condition that nothing stands there.
const ABSENT: &str = "attribute_not_exists(projection_id)";

pub(crate) const REV: &str = "rev";
const BASE: &str = "base";
const INTENT: &str = "intent";
const VERSION: &str = "version";
const CHECKPOINT: &str = "checkpoint";

/// The names of the counts, in the order that [`counts`] gives them.
const COUNTS: [&str; 4] = [
    "total_streams",
    "total_changesets",
    "total_events",
    "max_stream_length",
];

/// What must stand for a write to happen.
pub(crate) enum Guard {
    /// Nothing.
    Absent,
    /// An item in which a number is this one.
    Number(&'static str, u64),
    /// Either.
    AbsentOrNumber(&'static str, u64),
}

impl Tables {
    /// The indexer's state; `None` if there is none.
    pub(crate) async fn find_state(&self) -> Result<Option<IndexState>, StorageError> {
        let item = self.analysis(STATE).await?;
        let read = |item: &Item| state(item).ok_or_else(|| self.malformed(STATE));
        item.as_ref().map(read).transpose()
    }

    /// The indexer's state, which must be there.
    pub(crate) async fn state(&self) -> Result<IndexState, StorageError> {
        self.find_state().await?.ok_or_else(|| {
            StorageError::Corrupt(format!(
                "table `{}` has no index state (item `{STATE}`), so that no position can be told. \
                 Restore it together with table `{}`, or run `ees admin rebuild-index`",
                self.config.analysis_table, self.config.events_table
            ))
        })
    }

    pub(crate) async fn put_state(
        &self,
        guard: Guard,
        state: &IndexState,
    ) -> Result<bool, StorageError> {
        self.swap(guard, state_item(state)).await
    }

    /// Writes a state together with the void positions that belong to it, if the state that is
    /// there is as guarded.
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

    /// Replaces an item of the analysis table if what is there is as guarded. If an earlier try
    /// may have done it, what stands tells.
    async fn swap(&self, guard: Guard, item: Item) -> Result<bool, StorageError> {
        let attempts = Attempts::default();
        let put = self
            .client
            .put_item()
            .table_name(&self.config.analysis_table)
            .set_item(Some(item.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match guard {
            Guard::Absent => put.condition_expression(ABSENT),
            Guard::Number(name, previous) => put
                .condition_expression("#number = :previous")
                .expression_attribute_names("#number", name)
                .expression_attribute_values(":previous", number(previous)),
            Guard::AbsentOrNumber(name, previous) => put
                .condition_expression(format!("{ABSENT} OR #number = :previous"))
                .expression_attribute_names("#number", name)
                .expression_attribute_values(":previous", number(previous)),
        };
        let put = put.customize().interceptor(attempts.clone()).send().await;
        let Err(error) = put else { return Ok(true) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(attempts.written() == Written::Unknown && failed.item() == Some(&item))
            }
            _ => Err(translate("PutItem", &error, attempts.written())),
        }
    }

    fn malformed(&self, id: &str) -> StorageError {
        let table = &self.config.analysis_table;
        StorageError::Corrupt(format!("item `{id}` of table `{table}` cannot be read"))
    }
}

fn was_refused(cancelled: &TransactionCanceledException) -> bool {
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

fn counts(statistics: &Statistics) -> [u64; 4] {
    [
        statistics.total_streams,
        statistics.total_changesets,
        statistics.total_events,
        statistics.max_stream_length,
    ]
}

fn statistics(item: &Item) -> Option<Statistics> {
    let [streams, changesets, events, length] = COUNTS.map(|name| count(item, name));
    Some(Statistics {
        version: Checkpoint::new(count(item, VERSION)?).ok()?,
        total_streams: streams?,
        total_changesets: changesets?,
        total_events: events?,
        max_stream_length: length?,
    })
}

fn count(item: &Item, name: &str) -> Option<u64> {
    parse_number(item.get(name)?.as_n().ok()?)
}

#[async_trait]
impl StatisticsStore for DynamoStorage {
    async fn load_statistics(&self) -> Result<Statistics, StorageError> {
        let _open = self.enter().await?;
        let Some(item) = self.tables.analysis(STATISTICS).await? else {
            return Ok(Statistics::default());
        };
        statistics(&item).ok_or_else(|| self.tables.malformed(STATISTICS))
    }

    async fn swap_statistics(
        &self,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let _open = self.enter().await?;
        let mut item = Item::from([
            (PROJECTION_ID.to_owned(), text(STATISTICS)),
            (VERSION.to_owned(), number(statistics.version.get())),
        ]);
        for (name, count) in COUNTS.into_iter().zip(counts(statistics)) {
            item.insert(name.to_owned(), number(count.min(MAX_ID)));
        }
        let guard = match previous {
            Checkpoint::FIRST => Guard::AbsentOrNumber(VERSION, 0),
            previous => Guard::Number(VERSION, previous.get()),
        };
        self.tables.swap(guard, item).await
    }
}

#[async_trait]
impl CheckpointStore for DynamoStorage {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        let _open = self.enter().await?;
        let id = subscription_id(subscription);
        let Some(item) = self.tables.analysis(&id).await? else {
            return Ok(None);
        };
        let found = count(&item, CHECKPOINT).and_then(|count| Checkpoint::new(count).ok());
        found.ok_or_else(|| self.tables.malformed(&id)).map(Some)
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        let _open = self.enter().await?;
        let attempts = Attempts::default();
        let put = self
            .tables
            .client
            .put_item()
            .table_name(&self.tables.config.analysis_table)
            .item(PROJECTION_ID, text(subscription_id(subscription)))
            .item(CHECKPOINT, number(checkpoint.get()));
        let put = put.customize().interceptor(attempts.clone()).send().await;
        put.map_err(|error| translate("PutItem", &error, attempts.written()))?;
        Ok(())
    }
}

fn subscription_id(subscription: &str) -> String {
    format!("ees:subscription:{subscription}")
}
