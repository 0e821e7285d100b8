//! Converts changesets to items of the events table and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::{ChangesetKey, event_count, parse_number, trusted_events, trusted_json};
use ees_core::{
    Changeset, ChangesetId, Checkpoint, CommitId, EventId, Head, RESERVED_STREAM_PREFIX, SetMark,
    SetMarkError, StorageError, StreamId, Timestamp,
};

use crate::layout::IndexPageSize;

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const STREAM_ID: &str = "stream_id";
pub(crate) const CHANGESET_ID: &str = "changeset_id";
pub(crate) const EVENTS: &str = "events";
pub(crate) const METADATA: &str = "metadata";
pub(crate) const TIMESTAMP: &str = "timestamp";
pub(crate) const FIRST_EVENT_ID: &str = "first_event_id";
pub(crate) const LAST_EVENT_ID: &str = "last_event_id";
pub(crate) const PAGE: &str = "page";
pub(crate) const PAGE_ITEM: &str = "page_item";
pub(crate) const COMMIT_ID: &str = "commit_id";
pub(crate) const SET_MARK: &str = "set_mark";

/// The attributes of a changeset without its payload, as a projection expression. `#timestamp` and
/// `#page` stand for [`TIMESTAMP`] and [`PAGE`].
pub(crate) const WITHOUT_PAYLOAD: &str =
    "stream_id, changeset_id, first_event_id, last_event_id, #timestamp, #page, page_item";

/// The key of a changeset, its commit id and its set mark, as a projection expression.
pub(crate) const WITH_COMMIT_ID: &str = "stream_id, changeset_id, commit_id, set_mark";

/// An item that is not a changeset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The item's key, for messages.
    pub(crate) key: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

impl From<Malformed> for StorageError {
    fn from(Malformed { key, reason }: Malformed) -> Self {
        Self::Corrupt(format!("{key} cannot be read: {reason}"))
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// The primary key of a changeset.
pub(crate) fn key(key: &ChangesetKey) -> Item {
    Item::from([
        (STREAM_ID.to_owned(), text(key.stream_id.as_str())),
        (CHANGESET_ID.to_owned(), number(key.changeset_id.get())),
    ])
}

/// The item of a changeset as it is committed, without a position.
pub(crate) fn item(changeset: &Changeset) -> Item {
    let attributes = [
        (STREAM_ID, text(changeset.stream_id.as_str())),
        (CHANGESET_ID, number(changeset.changeset_id.get())),
        (EVENTS, text(changeset.events.as_str())),
        (METADATA, text(changeset.metadata.as_str())),
        (TIMESTAMP, text(changeset.timestamp.to_string())),
        (FIRST_EVENT_ID, number(changeset.first_event_id.get())),
        (LAST_EVENT_ID, number(changeset.last_event_id.get())),
        (COMMIT_ID, text(changeset.commit_id.as_str())),
    ];
    let set_mark = changeset.set.map(|mark| (SET_MARK, text(mark.to_string())));
    attributes
        .into_iter()
        .chain(set_mark)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The item of a changeset with its position.
pub(crate) fn indexed_item(
    changeset: &Changeset,
    position: Checkpoint,
    pages: IndexPageSize,
) -> Item {
    let (page, page_item) = pages.place(position);
    let mut item = item(changeset);
    item.insert(PAGE.to_owned(), number(page));
    item.insert(PAGE_ITEM.to_owned(), number(page_item));
    item
}

/// The head of a stream that ends with this item.
pub(crate) fn head(item: &Item) -> Result<Head, Malformed> {
    let fields = Fields(item);
    Ok(Head {
        last_changeset: fields.key()?.changeset_id,
        last_event: fields.event_ids()?.1,
        last_timestamp: fields.timestamp()?,
    })
}

/// Whether an item is internal to the store or to the Python original, so that it belongs to no
/// stream.
pub(crate) fn is_reserved(item: &Item) -> bool {
    let stream = item.get(STREAM_ID).and_then(|value| value.as_s().ok());
    stream.is_some_and(|stream| stream.starts_with(RESERVED_STREAM_PREFIX))
}

/// The key of an item.
pub(crate) fn key_of(item: &Item) -> Result<ChangesetKey, Malformed> {
    Fields(item).key()
}

/// The id of an item's first or last event.
pub(crate) fn event_number(item: &Item, name: &str) -> Result<u64, Malformed> {
    Fields(item).number(name)
}

/// An item's position in the global order, if it has one.
pub(crate) fn position(item: &Item, pages: IndexPageSize) -> Result<Option<Checkpoint>, Malformed> {
    Fields(item).position(pages)
}

/// The page of an item's position and its number in the page, if the item has valid ones.
pub(crate) fn place(item: &Item) -> Option<(u64, u64)> {
    let number = |name| Fields(item).number(name).ok();
    number(PAGE).zip(number(PAGE_ITEM))
}

/// Checks the attributes that the indexer reads, and returns the item's position.
pub(crate) fn check(item: &Item, pages: IndexPageSize) -> Result<Option<Checkpoint>, Malformed> {
    let fields = Fields(item);
    fields.key()?;
    fields.event_ids()?;
    fields.timestamp()?;
    fields.position(pages)
}

/// Checks the attributes that the indexer reads of an item without a position. Returns its key and
/// the time of its commit.
pub(crate) fn unindexed(
    item: &Item,
    pages: IndexPageSize,
) -> Result<(ChangesetKey, Timestamp), Malformed> {
    check(item, pages)?;
    Ok((Fields(item).key()?, Fields(item).timestamp()?))
}

/// Whether a changeset has no events.
pub(crate) fn is_empty(item: &Item) -> bool {
    let event_ids = Fields(item).event_ids();
    event_ids.is_ok_and(|(_, _, count)| count == 0)
}

/// The commit id of a changeset. Some changesets of the Python original have none.
pub(crate) fn commit_id(item: &Item) -> Result<CommitId, Malformed> {
    Fields(item).commit_id()
}

/// The mark of the set in which a changeset was committed, if it was committed in one.
pub(crate) fn set_mark(item: &Item) -> Result<Option<SetMark>, Malformed> {
    Fields(item).set_mark()
}

/// Converts an item to a changeset with its position.
pub(crate) fn positioned(item: &Item, pages: IndexPageSize) -> Result<Changeset, Malformed> {
    let checkpoint = position(item, pages)?;
    Ok(Changeset {
        checkpoint,
        ..changeset(item)?
    })
}

/// Converts an item to a changeset without its position.
pub(crate) fn changeset(item: &Item) -> Result<Changeset, Malformed> {
    let fields = Fields(item);
    let ChangesetKey {
        stream_id,
        changeset_id,
    } = fields.key()?;
    let (first_event_id, last_event_id, count) = fields.event_ids()?;
    Ok(Changeset {
        stream_id,
        changeset_id,
        first_event_id,
        last_event_id,
        timestamp: fields.timestamp()?,
        commit_id: fields.commit_id()?,
        set: fields.set_mark()?,
        checkpoint: None,
        events: trusted_events(fields.text(EVENTS)?, count),
        metadata: trusted_json(fields.text(METADATA)?),
    })
}

/// Reads attributes. An error names the item and the attribute.
struct Fields<'a>(&'a Item);

impl<'a> Fields<'a> {
    fn key(&self) -> Result<ChangesetKey, Malformed> {
        let stream_id = StreamId::new(self.text(STREAM_ID)?);
        let changeset_id = ChangesetId::new(self.number(CHANGESET_ID)?);
        Ok(ChangesetKey {
            stream_id: stream_id.map_err(|error| self.malformed(&error))?,
            changeset_id: changeset_id.map_err(|error| self.malformed(&error))?,
        })
    }

    /// The ids of the first and the last event, and the number of events. Some changesets of the
    /// Python original have no events. If such a changeset is the first of a stream, its last event
    /// id would be 0.
    fn event_ids(&self) -> Result<(EventId, EventId, u64), Malformed> {
        let (first, last) = (self.number(FIRST_EVENT_ID)?, self.number(LAST_EVENT_ID)?);
        let count = event_count(first, last).ok_or_else(|| {
            self.malformed(&format_args!("its events have ids from {first} to {last}"))
        })?;
        let first = EventId::new(first).map_err(|error| self.malformed(&error))?;
        let last = EventId::new(last.max(1)).map_err(|error| self.malformed(&error))?;
        Ok((first, last, count))
    }

    fn timestamp(&self) -> Result<Timestamp, Malformed> {
        let timestamp = self.text(TIMESTAMP)?.parse();
        timestamp.map_err(|error: ees_core::TimestampError| self.malformed(&error))
    }

    fn commit_id(&self) -> Result<CommitId, Malformed> {
        let commit_id = if self.0.contains_key(COMMIT_ID) {
            self.text(COMMIT_ID)?
        } else {
            CommitId::NONE
        };
        CommitId::new(commit_id).map_err(|error| self.malformed(&error))
    }

    fn set_mark(&self) -> Result<Option<SetMark>, Malformed> {
        if !self.0.contains_key(SET_MARK) {
            return Ok(None);
        }
        let mark = self.text(SET_MARK)?.parse();
        mark.map(Some)
            .map_err(|error: SetMarkError| self.malformed(&error))
    }

    fn position(&self, pages: IndexPageSize) -> Result<Option<Checkpoint>, Malformed> {
        if !self.0.contains_key(PAGE) && !self.0.contains_key(PAGE_ITEM) {
            return Ok(None);
        }
        let (page, page_item) = (self.number(PAGE)?, self.number(PAGE_ITEM)?);
        let position = pages.position(page, page_item);
        let wrong = || self.malformed(&format_args!("page {page} has no item {page_item}"));
        position.ok_or_else(wrong).map(Some)
    }

    fn text(&self, name: &str) -> Result<&'a str, Malformed> {
        match self.0.get(name) {
            Some(AttributeValue::S(text)) => Ok(text),
            found => Err(self.unlike(name, "a string", found)),
        }
    }

    fn number(&self, name: &str) -> Result<u64, Malformed> {
        let found = self.0.get(name);
        let number = match found {
            Some(AttributeValue::N(digits)) => parse_number(digits),
            _ => None,
        };
        number.ok_or_else(|| self.unlike(name, "an integer from 0 to 2^63 - 1", found))
    }

    fn unlike(&self, name: &str, expected: &str, found: Option<&AttributeValue>) -> Malformed {
        let found = match found {
            None => "nothing".to_owned(),
            Some(AttributeValue::N(digits)) => format!("the number {digits}"),
            Some(AttributeValue::S(_)) => "a string".to_owned(),
            Some(_) => "something else".to_owned(),
        };
        self.malformed(&format_args!(
            "`{name}` should be {expected}, but is {found}"
        ))
    }

    fn malformed(&self, reason: &dyn std::fmt::Display) -> Malformed {
        let plain = |name| match self.0.get(name) {
            Some(AttributeValue::S(value) | AttributeValue::N(value)) => value.as_str(),
            _ => "?",
        };
        Malformed {
            key: format!(
                "changeset {} of stream `{}`",
                plain(CHANGESET_ID),
                plain(STREAM_ID)
            ),
            reason: reason.to_string(),
        }
    }
}
