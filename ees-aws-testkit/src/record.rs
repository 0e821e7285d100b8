//! A record of a stream.

use std::time::Duration;

use serde_json::Value;

/// The sequence number of a record.
pub(crate) fn number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"]
        .as_str()
        .unwrap_or_default()
}

/// The time of a record, since the epoch.
pub(crate) fn created(record: &Value) -> Duration {
    let seconds = record["dynamodb"]["ApproximateCreationDateTime"].as_f64();
    Duration::try_from_secs_f64(seconds.unwrap_or_default()).unwrap_or_default()
}
