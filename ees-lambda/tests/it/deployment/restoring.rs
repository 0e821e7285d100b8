//! A restore as the guide describes it: both tables under new names, and a stack over them.

use ees_aws_testkit::Services;
use ees_conformance::subject::{Front, GlobalRead, Subject};
use serde_json::{Value, json};

use super::{Stack, options};
use crate::stack::template;

const STREAM: &str =
    "arn:aws:dynamodb:us-east-1:123456789012:table/restored-events/stream/2026-11-29T00:00:00.000";

/// Copies a table of a stack to a table of another name, as a restore does: with its items and
/// indexes. A restored table has no stream; the guide has it switched on before the deployment.
async fn restore(from: &Stack, table: &str, to: &Services, name: &str) {
    let made = from.aws.template().resource(table).unwrap();
    let mut asked = json!({ "TableName": name });
    for property in [
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
    ] {
        if let Some(value) = made.properties.get(property) {
            asked[property] = value.clone();
        }
    }
    if table == "EventsTable" {
        asked["StreamSpecification"] =
            json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"});
    }
    to.dynamodb("CreateTable", &asked).await.unwrap();
    let scan = json!({"TableName": made.name, "ConsistentRead": true});
    let scanned = from.aws.services().dynamodb("Scan", &scan).await.unwrap();
    assert_eq!(scanned["LastEvaluatedKey"], Value::Null, "all of it");
    for item in scanned["Items"].as_array().unwrap() {
        let put = json!({"TableName": name, "Item": item});
        to.dynamodb("PutItem", &put).await.unwrap();
    }
}

async fn store_id(stack: &Stack) -> String {
    let answer = stack.client.get("/version").await;
    answer.header("ees-store").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_over_restored_tables_goes_on_where_they_end() {
    let first = Stack::start().await;
    let committed = first.fill(3, 4).await;
    first.settle(&committed).await;
    let order = first.order().await;
    let services = Services::start().await.unwrap();
    restore(&first, "EventsTable", &services, "restored-events").await;
    restore(&first, "AnalysisTable", &services, "restored-state").await;

    let existing = [
        ("ExistingStreamArn", STREAM),
        ("ExistingAnalysisTable", "restored-state"),
    ];
    let second = Stack::of(template(&existing), Front::ApiGateway, services, options()).await;
    assert_eq!(second.order().await, order, "positions are kept");
    assert_ne!(
        store_id(&second).await,
        store_id(&first).await,
        "readers are told that it is another store"
    );
    let more = second.fill_on(&committed, 6).await;
    second.settle(&more).await;
    assert_eq!(second.order().await[..order.len()], order);
    let read = GlobalRead::from(order.len() as u64);
    let page = second.client.global_changesets(&read).await.unwrap();
    assert!(!page.changesets.is_empty(), "and new ones follow");
}
