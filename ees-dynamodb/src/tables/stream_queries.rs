//! Queries of one stream: its head, the ends of its local indexes, and a range of its changesets.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use ees_core::{Head, StorageError, StreamId, Written};

use crate::error::translate;
use crate::items::{
    self, CHANGESET_ID, FIRST_EVENT_ID, Item, LAST_EVENT_ID, STREAM_ID, number, text,
};
use crate::tables::Tables;

/// An entry of a local index: the id of its changeset, and the event id by which the index is
/// sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) changeset: u64,
    pub(crate) event: u64,
}

/// An end of a stream's range in a local index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// The changeset with the lowest last event id from this one on.
    LastEventFrom(u64),
    /// The changeset with the highest first event id up to this one.
    FirstEventTo(u64),
    /// The changeset with the highest last event id.
    LastEvent,
}

impl End {
    /// Whether the query reads the range from its beginning, and not from its end.
    fn is_beginning(self) -> bool {
        matches!(self, Self::LastEventFrom(_))
    }
}

impl Tables {
    /// Begins a consistent query of a stream.
    pub(crate) fn stream(&self, stream_id: &StreamId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.config.events_table)
            .consistent_read(true)
            .expression_attribute_values(":stream", text(stream_id.as_str()))
    }

    /// Reads the head of a stream. It reads the whole last changeset, since no index has its time.
    pub(crate) async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        let query = self
            .stream(stream_id)
            .key_condition_expression("stream_id = :stream")
            .scan_index_forward(false)
            .limit(1);
        let (items, _) = page(query, None).await?;
        let Some(last) = items.first() else {
            return Ok(None);
        };
        Ok(Some(items::changeset(last)?.head()))
    }

    /// Finds the last changeset and the last event of a stream. Without local indexes it reads the
    /// whole last changeset.
    pub(crate) async fn last(&self, stream_id: &StreamId) -> Result<Option<Placed>, StorageError> {
        if self.layout.local_indexes {
            return self.end(stream_id, End::LastEvent).await;
        }
        let newest = self.newest(stream_id).await?;
        Ok(newest.map(|newest| Placed {
            changeset: newest.changeset,
            event: newest.last,
        }))
    }

    /// Finds the changeset at one end of a local index, of which only keys are read. A changeset
    /// without events has the same event id as another changeset. At the end of a stream the
    /// highest changeset of them is returned, and at its beginning the lowest.
    pub(crate) async fn end(
        &self,
        stream_id: &StreamId,
        end: End,
    ) -> Result<Option<Placed>, StorageError> {
        let (query, sorted_by) = self.towards(stream_id, end);
        let (mut best, mut start): (Option<Placed>, _) = (None, None);
        loop {
            let (items, next) = page(query.clone(), start).await?;
            for item in &items {
                let found = placed(item, sorted_by)?;
                match best {
                    Some(best) if best.event != found.event => return Ok(Some(best)),
                    Some(best) if (found.changeset < best.changeset) != end.is_beginning() => {}
                    _ => best = Some(found),
                }
            }
            if next.is_none() {
                return Ok(best);
            }
            start = next;
        }
    }

    /// The query of a local index from one end, and the attribute by which the index is sorted.
    fn towards(&self, stream_id: &StreamId, end: End) -> (QueryFluentBuilder, &'static str) {
        let names = &self.config.indexes;
        let (index, sorted_by, bound) = match end {
            End::LastEventFrom(from) => (&names.last_event, LAST_EVENT_ID, Some((">=", from))),
            End::FirstEventTo(to) => (&names.first_event, FIRST_EVENT_ID, Some(("<=", to))),
            End::LastEvent => (&names.last_event, LAST_EVENT_ID, None),
        };
        let query = self
            .stream(stream_id)
            .index_name(index)
            .projection_expression(format!("{STREAM_ID}, {CHANGESET_ID}, {sorted_by}"))
            .scan_index_forward(end.is_beginning())
            .limit(2);
        let query = match bound {
            None => query.key_condition_expression("stream_id = :stream"),
            Some((compares, bound)) => query
                .key_condition_expression(format!(
                    "stream_id = :stream AND {sorted_by} {compares} :event"
                ))
                .expression_attribute_values(":event", number(bound)),
        };
        (query, sorted_by)
    }
}

fn placed(item: &Item, sorted_by: &str) -> Result<Placed, StorageError> {
    Ok(Placed {
        changeset: items::key_of(item)?.changeset_id.get(),
        event: items::event_number(item, sorted_by)?,
    })
}

/// Sends one request of a query. Returns its items and the key at which the query continues.
pub(crate) async fn page(
    query: QueryFluentBuilder,
    start: Option<Item>,
) -> Result<(Vec<Item>, Option<Item>), StorageError> {
    let found = query.set_exclusive_start_key(start).send().await;
    let found = found.map_err(|error| translate("Query", &error, Written::None))?;
    Ok((found.items.unwrap_or_default(), found.last_evaluated_key))
}
