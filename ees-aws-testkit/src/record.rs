//! A record of a stream.

use std::time::Duration;

use serde_json::Value;

/// A record's place in its shard.
pub(crate) fn number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"]
        .as_str()
        .unwrap_or_default()
}

/// When it was made, since the epoch.
pub(crate) fn created(record: &Value) -> Duration {
    let seconds = record["dynamodb"]["ApproximateCreationDateTime"].as_f64();
    Duration::try_from_secs_f64(seconds.unwrap_or_default()).unwrap_or_default()
}
