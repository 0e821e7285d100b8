//! How the table's stream reaches the indexer and the publisher.

use std::time::Duration;

use ees_aws_testkit::template::{Mapping, Template, table_of_stream};
use serde_json::json;

use super::{Findings, expect, function, holds, resource};

fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    for handler in ["indexer", "publisher"] {
        let function = function(template, handler);
        match function.mappings.as_slice() {
            [mapping] => compare(template, handler, mapping, &mut findings),
            more => findings.push(format!("{handler} has {} mappings", more.len())),
        }
    }
    findings
}

/// One batch of a shard at a time, or the order of a stream would be lost; nothing is left out,
/// tried for ever, or dropped.
fn compare(template: &Template, handler: &str, mapping: &Mapping, findings: &mut Findings) {
    let on_error = mapping.on_error;
    let table = table_of_stream(&mapping.stream).unwrap_or_default();
    let wanted = json!({
        "table": resource(template, "EventsTable").name,
        "from the oldest record": true,
        "runs": true,
        "records": 100,
        "batches at a time": 1,
        "halves": true,
        "tells which failed": true,
        "on failure": resource(template, "Failures").arn,
        "filters": [{
            "eventName": ["INSERT"],
            "dynamodb": {"NewImage": {"last_event_id": {"N": [{"exists": true}]}}},
        }],
    });
    let found = json!({
        "table": table,
        "from the oldest record": mapping.from_oldest,
        "runs": mapping.enabled,
        "records": mapping.batch_size,
        "batches at a time": mapping.parallelization,
        "halves": on_error.bisect,
        "tells which failed": on_error.partial,
        "on failure": mapping.on_failure,
        "filters": mapping.filters,
    });
    expect(findings, handler, &found, &wanted);
    if mapping.window > Duration::from_secs(1) {
        findings.push(format!(
            "{handler}: a commit waits for {:?}",
            mapping.window
        ));
    }
    // A service that is away takes up no retries: only the age of the records is a limit.
    if on_error.retries.is_some() {
        findings.push(format!("{handler}: {:?} retries", on_error.retries));
    }
    // A stream keeps records for a day: what is given up must be there still.
    let kept = Duration::from_hours(1)..=Duration::from_hours(18);
    if !on_error.max_age.is_some_and(|age| kept.contains(&age)) {
        findings.push(format!("{handler}: records of {:?}", on_error.max_age));
    }
}

#[test]
fn streams_reach_functions_in_order_and_end() {
    let faults = [
        ("StartingPosition: TRIM_HORIZON", "StartingPosition: LATEST"),
        ("BatchSize: 100", "BatchSize: 1000"),
        (
            "MaximumBatchingWindowInSeconds: !Ref BatchingWindow",
            "MaximumBatchingWindowInSeconds: 5",
        ),
        ("ParallelizationFactor: 1", "ParallelizationFactor: 10"),
        ("BisectBatchOnFunctionError: true", ""),
        ("FunctionResponseTypes: [ReportBatchItemFailures]", ""),
        ("MaximumRetryAttempts: -1", "MaximumRetryAttempts: 20"),
        (
            "MaximumRecordAgeInSeconds: 43200",
            "MaximumRecordAgeInSeconds: -1",
        ),
        (
            "MaximumRecordAgeInSeconds: 43200",
            "MaximumRecordAgeInSeconds: 86400",
        ),
        (
            "OnFailure: {Type: S3, Destination: !GetAtt Failures.Arn}",
            "OnFailure: {Type: SQS, Destination: !GetAtt DeadLetters.Arn}",
        ),
        ("[\"INSERT\"]", "[\"MODIFY\"]"),
        ("{\"exists\": true}", "{\"exists\": false}"),
    ];
    holds(check, &faults);
}
