//! Writes metrics as log lines in the embedded metric format, from which AWS makes metrics.

use ees_core::Timestamp;
use serde_json::{Value, json};

/// The namespace of the metrics.
const NAMESPACE: &str = "ElasticEventStore";

/// The dimension of the metrics.
const DIMENSION: &str = "Table";

/// A metric's unit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Count,
    Milliseconds,
}

/// Writes metrics of a store, each with name, unit and value.
pub(crate) fn tell(table: &str, metrics: &[(&str, Unit, u64)]) {
    println!("{}", line(table, Timestamp::now(), metrics));
}

fn line(table: &str, now: Timestamp, metrics: &[(&str, Unit, u64)]) -> Value {
    let definition = |(name, unit, _): &(&str, Unit, u64)| {
        let unit = format!("{unit:?}");
        json!({"Name": name, "Unit": unit})
    };
    let definitions: Vec<_> = metrics.iter().map(definition).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.as_micros() / 1000,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[DIMENSION]],
                "Metrics": definitions,
            }],
        },
        DIMENSION: table,
    });
    for (name, _, value) in metrics {
        line[*name] = (*value).into();
    }
    line
}
