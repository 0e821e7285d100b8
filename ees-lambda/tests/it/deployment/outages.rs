//! Services that are away or overloaded for a while, and records that nobody can process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ees_aws_testkit::{Endpoints, Options, Services};
use ees_dynamodb_testkit::{Call, Fate, Plan, Proxy};
use serde_json::{Value, json};

use super::subscribers::Subscribers;
use super::{PUBLISHER, PUBLISHER_STREAM, REDRIVE, Stack, options};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_while_sns_was_away_is_published_when_it_is_back() {
    let stack = Stack::start().await;
    let subscribers = Subscribers::of(&stack).await;
    let first = stack.fill(4, 3).await;
    stack.settle(&first).await;
    // One batch has all that is committed then.
    stack.aws.pause(PUBLISHER_STREAM, true).unwrap();
    stack.sns.cut();
    let committed = stack.fill_on(&first, 6).await;
    stack.aws.pause(PUBLISHER_STREAM, false).unwrap();
    let publisher = stack.function(PUBLISHER);
    while !publisher.log().contains("cannot be published") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What waits survives the process, too.
    publisher.kill();
    let tries = || publisher.log().matches("cannot be published").count();
    let before = tries();
    while tries() == before {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stack.sns.mend();
    stack.settle(&committed).await;
    subscribers.got_all(&stack, &committed).await;
    assert_eq!(stack.failures().await, [""; 0], "nothing is set aside");
    assert_eq!(stack.sum(REDRIVE, "FailuresRedriven"), 0);
}

/// Throttles every second call that it is told to.
#[derive(Default)]
struct Throttles {
    is_on: AtomicBool,
    calls: AtomicU64,
}

impl Plan for Throttles {
    fn begin(&self, _: &mut Call) -> Fate {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.is_on.load(Ordering::Relaxed) && number.is_multiple_of(2) {
            return Fate::Refused(400, "ProvisionedThroughputExceededException");
        }
        Fate::Through
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_table_delays_and_loses_nothing() {
    let services = Services::start().await.unwrap();
    let plan = Arc::new(Throttles::default());
    let upstream = services.endpoints().dynamodb.clone();
    let proxy = Proxy::start(&upstream, Arc::clone(&plan) as _)
        .await
        .unwrap();
    let endpoints = Endpoints {
        dynamodb: proxy.endpoint.clone(),
        ..services.endpoints().clone()
    };
    let options = Options {
        endpoints: Some(endpoints),
        ..options()
    };
    let stack = Stack::with(services, options).await;
    let subscribers = Subscribers::of(&stack).await;
    plan.is_on.store(true, Ordering::Relaxed);
    let committed = stack.fill(8, 10).await;
    plan.is_on.store(false, Ordering::Relaxed);
    stack.settle_redriven(&committed).await;
    subscribers.got_all(&stack, &committed).await;
}

/// An item of the events table that is no changeset.
fn poison(table: &str) -> Value {
    json!({
        "TableName": table,
        "Item": {
            "stream_id": {"S": "poison"},
            "changeset_id": {"N": "1"},
            "first_event_id": {"N": "1"},
            "last_event_id": {"N": "1"},
            "events": {"N": "1"},
            "metadata": {"S": "{}"},
            "timestamp": {"S": "2026-11-22T00:00:00.000000Z"},
            "commit_id": {"S": "p"},
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_nobody_can_read_is_put_aside_and_the_others_go_on() {
    let stack = Stack::start().await;
    let subscribers = Subscribers::of(&stack).await;
    let first = stack.fill(3, 4).await;
    let table = stack.output("EventsTable");
    let services = stack.aws.services();
    let item = poison(&table);
    services.dynamodb("PutItem", &item).await.unwrap();
    let committed = stack.fill_on(&first, 8).await;
    stack.aws.settle().await;
    subscribers.got_all(&stack, &committed).await;
    let failures = stack.failures().await;
    assert_ne!(failures, [""; 0], "it is put aside");
    let bucket = stack.output("FailuresBucket");
    for key in &failures {
        let record = services.get_object(&bucket, key).await.unwrap();
        assert!(record.contains("poison"), "whole");
    }
    assert!(stack.aws.run_schedule(REDRIVE).await.is_err());
    assert!(
        stack.sum(REDRIVE, "FailuresLeft") > 0,
        "and whoever watches it sees it"
    );

    // Somebody mends it in the table; the redrive does the rest.
    let mended = json!({
        "TableName": table,
        "Key": {"stream_id": {"S": "poison"}, "changeset_id": {"N": "1"}},
        "UpdateExpression": "SET events = :events",
        "ExpressionAttributeValues": {":events": {"S": "[1]"}},
    });
    services.dynamodb("UpdateItem", &mended).await.unwrap();
    stack.scheduled(REDRIVE).await;
    assert_eq!(stack.failures().await, [""; 0], "nothing is left");
    let mut all = committed;
    all.0.insert("poison".to_owned(), 1);
    stack.settle(&all).await;
    let told = Subscribers::changesets(&stack).await;
    // Others of its batch may come again: these queues forget what was received.
    let mended = ("poison".to_owned(), 1);
    assert!(told.contains(&mended), "its message comes, late: {told:?}");
}
