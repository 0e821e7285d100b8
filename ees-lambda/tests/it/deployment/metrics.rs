//! What can be seen from outside is what was committed.

use ees_conformance::subject::{Statistics, Subject};
use ees_dynamodb::admin::IndexStatus;
use ees_dynamodb::{Admin, DynamoConfig};
use serde_json::json;

use super::{INDEXER, PROJECTOR, PUBLISHER, REDRIVE, SWEEP, Stack, insist, is_late};
use crate::test_store::patient;

#[tokio::test(flavor = "multi_thread")]
async fn statistics_and_metrics_equal_what_was_committed() {
    let stack = Stack::start().await;
    let mut committed = stack.fill(5, 4).await;
    committed = stack.fill_on(&committed, 9).await;
    stack.settle(&committed).await;
    let counted = stack.scheduled(PROJECTOR).await;
    assert_eq!(counted["done"], true, "{counted}");
    let total = committed.total();
    let expected = Statistics {
        total_streams: 5,
        total_changesets: total,
        total_events: 2 * total,
        max_stream_length: 9,
        version: total,
    };
    let found = insist(async || stack.client.statistics_at(total).await, is_late);
    assert_eq!(found.await, expected);
    let status = index_status(&stack).await;
    assert_eq!((status.next.get(), status.pending), (total, 0));
    assert_eq!(stack.sum(INDEXER, "RefusedChangesets"), 0);
    // What services were too late for, on a machine under load, came again.
    if !stack.function(INDEXER).log().contains("delivered again") {
        assert_eq!(stack.sum(INDEXER, "IndexedChangesets"), total);
    }
    let repeated = stack.sum(PUBLISHER, "UnpublishedChangesets");
    let published = stack.sum(PUBLISHER, "PublishedChangesets");
    assert!(
        published >= total && (repeated > 0 || published == total),
        "{published}"
    );
}

/// What `ees admin index-status` tells.
async fn index_status(stack: &Stack) -> IndexStatus {
    let mut config = DynamoConfig::new(stack.output("EventsTable"));
    config.analysis_table = stack.output("AnalysisTable");
    config.endpoint.url = Some(stack.aws.services().endpoints().dynamodb.clone());
    let admin = Admin::new(&config, &patient(&config)).await.unwrap();
    admin.status().await.unwrap()
}

/// An alarm on a metric that no function writes, or writes elsewhere, never fires.
#[tokio::test(flavor = "multi_thread")]
async fn what_alarms_watch_is_written() {
    let stack = Stack::start().await;
    let committed = stack.fill(1, 1).await;
    stack.settle(&committed).await;
    for function in [REDRIVE, SWEEP] {
        stack.scheduled(function).await;
    }
    let mut watched = 0;
    for alarm in stack.aws.template().of_type("AWS::CloudWatch::Alarm") {
        let alarm = &alarm.properties;
        if alarm["Namespace"] != "ElasticEventStore" {
            continue;
        }
        watched += 1;
        let name = alarm["MetricName"].as_str().unwrap();
        let dimension = &alarm["Dimensions"][0];
        let expected = json!([alarm["Namespace"], dimension["Name"], dimension["Value"]]);
        let written = [INDEXER, PUBLISHER, REDRIVE, SWEEP]
            .iter()
            .flat_map(|function| stack.metrics(function, name));
        assert!(
            written.into_iter().any(|(at, _)| at == expected),
            "{name} is not written at {expected}"
        );
    }
    assert!(
        watched >= 2,
        "{watched} alarms watch the store's own metrics"
    );
}
