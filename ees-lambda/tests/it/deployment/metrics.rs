//! What can be seen from outside is what was committed.

use conformance_tests::subject::{Statistics, Subject};
use ees_dynamodb::admin::IndexStatus;
use ees_dynamodb::{Admin, DynamoConfig};
use serde_json::json;

use super::{INDEXER, PROJECTOR, PUBLISHER, REDRIVE, SWEEP, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn statistics_and_metrics_equal_what_was_committed() {
    let stack = Stack::start().await;
    let mut committed = stack.fill(5, 4).await;
    committed = stack.fill_on(&committed, 9).await;
    stack.settle(&committed).await;
    let counted = stack.aws.run_schedule(PROJECTOR).await.unwrap();
    assert_eq!(counted["done"], true, "{counted}");
    let total = committed.total();
    let expected = Statistics {
        total_streams: 5,
        total_changesets: total,
        total_events: 2 * total,
        max_stream_length: 9,
        version: total,
    };
    assert_eq!(stack.client.statistics_at(total).await.unwrap(), expected);
    let status = index_status(&stack).await;
    assert_eq!((status.next.get(), status.pending), (total, 0));
    assert_eq!(stack.sum(INDEXER, "IndexedChangesets"), total);
    assert_eq!(stack.sum(INDEXER, "RefusedChangesets"), 0);
    assert_eq!(stack.sum(PUBLISHER, "PublishedChangesets"), total);
    assert_eq!(stack.sum(PUBLISHER, "UnpublishedChangesets"), 0);
}

/// What `ees admin index-status` tells.
async fn index_status(stack: &Stack) -> IndexStatus {
    let mut config = DynamoConfig::new(stack.output("EventsTable"));
    config.analysis_table = stack.output("AnalysisTable");
    config.place.endpoint = Some(stack.aws.services().endpoints().dynamodb.clone());
    let sdk = config.place.sdk_with_key("any", "key");
    let admin = Admin::new(&config, &sdk).await.unwrap();
    admin.status().await.unwrap()
}

/// An alarm on a metric that no function writes, or writes elsewhere, never fires.
#[tokio::test(flavor = "multi_thread")]
async fn what_alarms_watch_is_written() {
    let stack = Stack::start().await;
    let committed = stack.fill(1, 1).await;
    stack.settle(&committed).await;
    for function in [REDRIVE, SWEEP] {
        stack.aws.run_schedule(function).await.unwrap();
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
        let place = json!([alarm["Namespace"], dimension["Name"], dimension["Value"]]);
        let written = [INDEXER, PUBLISHER, REDRIVE, SWEEP]
            .iter()
            .flat_map(|function| stack.metrics(function, name));
        assert!(
            written.into_iter().any(|(at, _)| at == place),
            "{name} is not written at {place}"
        );
    }
    assert!(
        watched >= 2,
        "{watched} alarms watch the store's own metrics"
    );
}
