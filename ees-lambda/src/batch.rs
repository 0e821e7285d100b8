//! Batches of the events table's stream, and what of them is to be delivered again.

use ees_core::Timestamp;
use ees_dynamodb::CommitRecord;
use serde_json::{Value, json};

use crate::Failure;

/// A record of a batch.
pub(crate) struct Record {
    sequence_number: String,
    /// The commit that it tells of, if it tells of one.
    pub(crate) commit: Option<CommitRecord>,
}

/// Reads an event of the events table's stream.
pub(crate) fn read(event: &Value) -> Result<Vec<Record>, Failure> {
    let records = event["Records"].as_array().ok_or_else(|| Failure::Event {
        found: keys(event),
        expected: "a batch of a DynamoDB stream: `Records`",
    })?;
    let record = |record: &Value| Record {
        sequence_number: text(&record["dynamodb"]["SequenceNumber"]),
        commit: CommitRecord::of(record),
    };
    Ok(records.iter().map(record).collect())
}

/// The commits that a batch tells of.
pub(crate) fn commits(records: &[Record]) -> impl Iterator<Item = &CommitRecord> {
    records.iter().filter_map(|record| record.commit.as_ref())
}

/// How long ago the oldest changeset of a batch was committed, in milliseconds.
pub(crate) fn lag(records: &[Record]) -> u64 {
    let oldest = commits(records).filter_map(CommitRecord::timestamp).min();
    let now = Timestamp::now().as_micros();
    let micros = oldest.map_or(0, |oldest| now.saturating_sub(oldest.as_micros()));
    u64::try_from(micros).unwrap_or(0) / 1000
}

/// The answer that everything is done.
pub(crate) fn done() -> Value {
    json!({"batchItemFailures": []})
}

/// The answer that this record and all behind it are to be delivered again: so Lambda takes the
/// lowest one that it is told. A record without a number stands for the whole batch.
pub(crate) fn again_from(record: &Record) -> Value {
    json!({"batchItemFailures": [{"itemIdentifier": record.sequence_number}]})
}

/// What an event is, without what is in it.
pub(crate) fn keys(event: &Value) -> String {
    match event.as_object() {
        Some(object) => {
            let keys: Vec<_> = object.keys().map(String::as_str).collect();
            format!("an object with `{}`", keys.join("`, `"))
        }
        None => "no object".to_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
