//! Records of the events table's stream in JSON, as a Lambda function receives them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::ChangesetKey;
use ees_core::{Changeset, RESERVED_STREAM_PREFIX, StorageError, Timestamp};
use serde_json::Value;

use crate::items::{self, Item, LAST_EVENT_ID, STREAM_ID, TIMESTAMP};

/// A commit, read from a record of the events table's stream.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitRecord(Item);

impl CommitRecord {
    /// Reads a record. `None` if the record is about something else: a written position, an item that
    /// belongs to no stream, or an imported changeset, which has its position from the start.
    pub fn of(record: &Value) -> Option<Self> {
        let change = &record["dynamodb"];
        let attributes = |of: &str| change[of].as_object().into_iter().flatten();
        let image = attributes("NewImage").chain(attributes("Keys"));
        let item: Item = image
            .map(|(name, value)| (name.clone(), attribute(value)))
            .collect();
        let image = Some(&item).filter(|_| !change["NewImage"].is_null());
        let stream_id = item.get(STREAM_ID).and_then(|value| value.as_s().ok());
        let is_insert = record["eventName"] == "INSERT";
        let is_commit = is_insert && is_commit(image, stream_id.map(String::as_str));
        is_commit.then_some(Self(item))
    }

    /// The key of the changeset.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if the key is not a changeset's.
    pub fn key(&self) -> Result<ChangesetKey, StorageError> {
        Ok(items::key_of(&self.0)?)
    }

    /// The changeset, from the record's new image.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if the record has no new image, or if the item is not a changeset.
    pub fn changeset(&self) -> Result<Changeset, StorageError> {
        Ok(items::changeset(&self.0)?)
    }

    /// The time of the commit, if it can be read.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.0.get(TIMESTAMP)?.as_s().ok()?.parse().ok()
    }
}

impl From<&Changeset> for CommitRecord {
    /// The record of a stored changeset.
    fn from(changeset: &Changeset) -> Self {
        Self(items::item(changeset))
    }
}

/// Whether an inserted item is a commit: an item of a stream that has a last event id, and no position.
/// An import inserts items with their positions. A record that has only the key counts as a commit.
pub(crate) fn is_commit<V>(image: Option<&HashMap<String, V>>, stream_id: Option<&str>) -> bool {
    let is_reserved = stream_id.is_some_and(|id| id.starts_with(RESERVED_STREAM_PREFIX));
    let fits = image
        .is_none_or(|image| image.contains_key(LAST_EVENT_ID) && !image.contains_key(items::PAGE));
    fits && !is_reserved
}

/// Reads a string or a number. Changesets have no other types of attributes.
fn attribute(value: &Value) -> AttributeValue {
    let text = |of: &str| value[of].as_str().map(str::to_owned);
    let string = text("S").map(AttributeValue::S);
    string
        .or_else(|| text("N").map(AttributeValue::N))
        .unwrap_or(AttributeValue::Null(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Value {
        json!({
            "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
            "dynamodb": {
                "SequenceNumber": "111", "StreamViewType": "NEW_IMAGE",
                "Keys": {"stream_id": {"S": "a"}, "changeset_id": {"N": "2"}},
                "NewImage": {
                    "stream_id": {"S": "a"}, "changeset_id": {"N": "2"},
                    "first_event_id": {"N": "5"}, "last_event_id": {"N": "6"},
                    "events": {"S": "[1.10, \"\\u00fc\"]"}, "metadata": {"S": "null"},
                    "timestamp": {"S": "2021-01-05T13:15:30.500000Z"},
                    "commit_id": {"S": "c"},
                },
            },
        })
    }

    #[test]
    fn a_commit_is_read_as_it_was_written() {
        let record = CommitRecord::of(&record()).unwrap();
        let changeset = record.changeset().unwrap();
        assert_eq!(items::item(&changeset), record.0);
        assert_eq!(changeset.events.as_str(), "[1.10, \"\\u00fc\"]");
        assert_eq!(record.timestamp(), Some(changeset.timestamp));
        assert_eq!(record.key().unwrap().changeset_id.get(), 2);
    }

    #[test]
    fn a_key_is_enough_to_know_where_it_stands() {
        let mut keys_only = record();
        keys_only["dynamodb"]
            .as_object_mut()
            .unwrap()
            .remove("NewImage");
        let record = CommitRecord::of(&keys_only).unwrap();
        assert_eq!(record.key().unwrap().stream_id.as_str(), "a");
        assert!(record.changeset().is_err());
    }

    #[test]
    fn what_is_no_commit_is_none() {
        let with = |path: &str, value: Value| {
            let mut record = record();
            *record.pointer_mut(path).unwrap() = value;
            CommitRecord::of(&record)
        };
        assert_eq!(with("/eventName", json!("MODIFY")), None);
        let counter = json!({"S": "!!!RESERVED:GLOBAL-COUNTER!!!"});
        assert_eq!(with("/dynamodb/Keys/stream_id", counter), None);
        let nothing_in_it = json!({"stream_id": {"S": "a"}, "changeset_id": {"N": "2"}});
        assert_eq!(with("/dynamodb/NewImage", nothing_in_it), None);
        assert_eq!(CommitRecord::of(&json!("a text")), None);
    }

    #[test]
    fn what_is_imported_is_no_commit() {
        let mut imported = record();
        imported["dynamodb"]["NewImage"]["page"] = json!({"N": "0"});
        imported["dynamodb"]["NewImage"]["page_item"] = json!({"N": "7"});
        assert_eq!(CommitRecord::of(&imported), None);
    }

    #[test]
    fn what_is_malformed_says_so() {
        let mut wrong = record();
        wrong["dynamodb"]["NewImage"]["events"] = json!({"B": "AA=="});
        let error = CommitRecord::of(&wrong).unwrap().changeset().unwrap_err();
        assert!(
            error.to_string().contains("`events` should be a string"),
            "{error}"
        );
    }
}
