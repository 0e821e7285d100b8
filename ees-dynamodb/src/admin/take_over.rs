//! Takes over a table of the Python original.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::{ChangesetKey, IndexState, parse_number};
use ees_core::{ChangesetId, Checkpoint, StorageError, StreamId, Written};

use crate::error::translate;
use crate::items::{self, Item, PAGE, PAGE_ITEM};
use crate::tables::{Part, Tables};
use crate::{Admin, IndexPageSize};

use super::rebuild_index::Rebuilt;
use super::survey::Positions;
use super::{AdminError, Options};

/// The stream id of the original's counter; its changeset id is 0.
const COUNTER: &str = "!!!RESERVED:GLOBAL-COUNTER!!!";

/// The attribute to which the counter's position is moved, so that the original finds none and
/// stops.
const FENCED_PAGE: &str = "fenced_page";
const FENCED_PAGE_ITEM: &str = "fenced_page_item";

/// The attributes in which the original keeps the changeset that got the counter's position. It
/// writes this name and reads another one, which is how it loses positions.
const LAST_STREAM: &str = "prev_stream_id";
const LAST_CHANGESET: &str = "prev_stream_changeset_id";

/// The original's counter.
#[derive(Debug)]
struct Counter {
    /// The page and the item of the counter's position. Before the first position the item is -1.
    page: String,
    page_item: String,
    /// Whether the position was moved, so that the original can no longer use the counter.
    is_fenced: bool,
    /// The changeset that got the last position.
    last: Option<ChangesetKey>,
}

impl Admin {
    /// Takes over a table that the Python original created. Stop the original first. The call moves
    /// the counter's position, so that the original can no longer use it. If the changeset with the
    /// last assigned position does not have it yet, it becomes the first intent. The positions that
    /// the original lost become void. The call is safe to repeat until it succeeds.
    ///
    /// A function of the original that took a position earlier may still write it. If the position
    /// were void by then, readers would skip the changeset forever. The future `settled` must
    /// therefore resolve once no such function runs any more, which is after their timeout. A dry
    /// run does not wait for it.
    ///
    /// # Errors
    /// [`AdminError`]. [`AdminError::HasState`] if the table was already taken over,
    /// [`AdminError::NoCounter`] if the Python original did not create it.
    pub async fn take_over(
        &self,
        options: Options,
        settled: impl Future<Output = ()>,
    ) -> Result<Rebuilt, AdminError> {
        let (mut admin, found) = self.recognised().await?;
        admin.tables.layout.index_page = IndexPageSize::ORIGINAL;
        if found.is_some() {
            return Err(AdminError::HasState);
        }
        let counter = admin.tables.counter().await?.ok_or(AdminError::NoCounter)?;
        if !options.dry_run {
            if !counter.is_fenced {
                admin.tables.fence(&counter).await?;
            }
            settled.await;
        }
        let surveyed = admin.survey().await?;
        let last = counter.position()?;
        let end = surveyed.positions.end();
        let given = last.map_or(0, |last| last.get() + 1);
        if end > given {
            return Err(AdminError::Beyond { end, given });
        }
        let state = admin
            .first_state(&counter, last, &surveyed.positions)
            .await?;
        admin.settle(surveyed, state, None, options).await
    }

    /// The state after the last position that the original assigned. If that position is not
    /// written and still can be, it is an intent.
    async fn first_state(
        &self,
        counter: &Counter,
        last: Option<Checkpoint>,
        positions: &Positions,
    ) -> Result<IndexState, StorageError> {
        let written_up_to = |base| IndexState {
            base,
            ..IndexState::default()
        };
        let Some(last) = last else {
            return Ok(IndexState::default());
        };
        let pending = counter
            .last
            .clone()
            .filter(|_| !positions.contains(last.get()));
        if let Some(key) = pending {
            let found = self
                .tables
                .batch(std::slice::from_ref(&key), Part::Numbers)
                .await?;
            if let Some(Ok(None)) = found
                .get(&key)
                .map(|item| items::check(item, self.tables.layout.index_page))
            {
                return Ok(IndexState {
                    intent: vec![key],
                    ..written_up_to(last)
                });
            }
        }
        Ok(written_up_to(last.plus(1)))
    }
}

impl Tables {
    async fn counter(&self) -> Result<Option<Counter>, StorageError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.config.events_table)
            .set_key(Some(counter_key()))
            .consistent_read(true);
        let found = get.send().await;
        let found = found.map_err(|error| translate("GetItem", &error, Written::None))?;
        found.item.as_ref().map(counter).transpose()
    }

    /// Moves the counter's position to other attributes, if it has not changed.
    async fn fence(&self, counter: &Counter) -> Result<(), AdminError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.config.events_table)
            .set_key(Some(counter_key()))
            .update_expression(format!(
                "SET {FENCED_PAGE} = #page, {FENCED_PAGE_ITEM} = {PAGE_ITEM} \
                 REMOVE #page, {PAGE_ITEM}"
            ))
            .condition_expression(format!("#page = :page AND {PAGE_ITEM} = :item"))
            .expression_attribute_names("#page", PAGE)
            .expression_attribute_values(":page", AttributeValue::N(counter.page.clone()))
            .expression_attribute_values(":item", AttributeValue::N(counter.page_item.clone()));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                    self.refenced(counter).await
                }
                _ => Err(translate("UpdateItem", &error, Written::Unknown).into()),
            },
        }
    }

    /// Checks whether an earlier attempt moved the position and its answer was lost.
    async fn refenced(&self, counter: &Counter) -> Result<(), AdminError> {
        match self.counter().await? {
            Some(now)
                if now.is_fenced
                    && now.page == counter.page
                    && now.page_item == counter.page_item =>
            {
                Ok(())
            }
            _ => Err(AdminError::StillRuns),
        }
    }
}

fn counter_key() -> Item {
    Item::from([
        (items::STREAM_ID.to_owned(), items::text(COUNTER)),
        (
            items::CHANGESET_ID.to_owned(),
            AttributeValue::N("0".to_owned()),
        ),
    ])
}

fn counter(item: &Item) -> Result<Counter, StorageError> {
    let number = |name: &str| item.get(name).and_then(|value| value.as_n().ok()).cloned();
    let both = |page, page_item| number(page).zip(number(page_item));
    let plain = both(PAGE, PAGE_ITEM);
    let is_fenced = plain.is_none();
    let (page, page_item) = plain
        .or_else(|| both(FENCED_PAGE, FENCED_PAGE_ITEM))
        .ok_or_else(|| StorageError::Corrupt(format!("item `{COUNTER}` has no position")))?;
    let stream_id = item.get(LAST_STREAM).and_then(|value| value.as_s().ok());
    let stream_id = stream_id.and_then(|stream_id| StreamId::new(stream_id).ok());
    let changeset_id = number(LAST_CHANGESET).and_then(|digits| parse_number(&digits));
    let changeset_id = changeset_id.and_then(|id| ChangesetId::new(id).ok());
    let last = stream_id.zip(changeset_id);
    Ok(Counter {
        page,
        page_item,
        is_fenced,
        last: last.map(|(stream_id, changeset_id)| ChangesetKey {
            stream_id,
            changeset_id,
        }),
    })
}

impl Counter {
    /// The last assigned position; `None` before the first.
    fn position(&self) -> Result<Option<Checkpoint>, StorageError> {
        if (self.page.as_str(), self.page_item.as_str()) == ("0", "-1") {
            return Ok(None);
        }
        let (page, page_item) = (parse_number(&self.page), parse_number(&self.page_item));
        let position = page
            .zip(page_item)
            .and_then(|(page, item)| IndexPageSize::ORIGINAL.position(page, item));
        position.map(Some).ok_or_else(|| {
            let Self {
                page, page_item, ..
            } = self;
            StorageError::Corrupt(format!(
                "item `{COUNTER}` has an invalid position: page {page}, item {page_item}"
            ))
        })
    }
}
