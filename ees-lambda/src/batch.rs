//! Reads batches of the events table's stream, and reports which records Lambda must deliver again.

use ees_core::Timestamp;
use ees_dynamodb::CommitRecord;
use serde_json::{Value, json};

use crate::Failure;

/// A record of a batch.
pub(crate) struct Record {
    sequence_number: String,
    /// The commit that the record notifies of, if any.
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

/// The commits of a batch.
pub(crate) fn commits(records: &[Record]) -> impl Iterator<Item = &CommitRecord> {
    records.iter().filter_map(|record| record.commit.as_ref())
}

/// The age of the oldest changeset of a batch, in milliseconds.
pub(crate) fn lag(records: &[Record]) -> u64 {
    let oldest = commits(records).filter_map(CommitRecord::timestamp).min();
    let now = Timestamp::now().as_micros();
    let micros = oldest.map_or(0, |oldest| now.saturating_sub(oldest.as_micros()));
    u64::try_from(micros).unwrap_or(0) / 1000
}

/// The answer that all records were processed.
pub(crate) fn done() -> Value {
    json!({"batchItemFailures": []})
}

/// The answer that this record and all records after it must be delivered again. Lambda delivers
/// again from the lowest reported sequence number. A record without a sequence number stands for
/// the whole batch.
pub(crate) fn again_from(record: &Record) -> Value {
    json!({"batchItemFailures": [{"itemIdentifier": record.sequence_number}]})
}

/// Describes an event by its keys, without its content.
pub(crate) fn keys(event: &Value) -> String {
    match event.as_object() {
        Some(object) => {
            let keys: Vec<_> = object.keys().map(String::as_str).collect();
            format!("an object with `{}`", keys.join("`, `"))
        }
        None => "a value that is not an object".to_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
