//! A stack over a table of the Python original, with nothing but parameters.

use std::collections::BTreeMap;
use std::future::ready;

use ees_aws_testkit::Services;
use ees_conformance::subject::Front;
use ees_dynamodb::Admin;
use ees_dynamodb::admin::Options;
use serde_json::{Value, json};

use super::subscribers::Subscribers;
use super::{Committed, Stack, options};
use crate::stack::template;
use crate::test_store::{config, patient};

const TABLE: &str = "eventstore";

/// A changeset of the original.
fn changeset(stream: &str, id: u64) -> Value {
    json!({
        "stream_id": {"S": stream},
        "changeset_id": {"N": id.to_string()},
        "events": {"S": "[1, 2]"},
        "metadata": {"S": "{}"},
        "first_event_id": {"N": (2 * id - 1).to_string()},
        "last_event_id": {"N": (2 * id).to_string()},
        "timestamp": {"S": "2021-01-05T13:15:30.123456Z"},
    })
}

/// The same, after its indexer.
fn indexed(stream: &str, id: u64, position: u64) -> Value {
    let mut item = changeset(stream, id);
    item["page"] = json!({"N": "0"});
    item["page_item"] = json!({"N": position.to_string()});
    item
}

/// The original's table, with its names and projections, two changesets in the order and one that waits.
async fn original(services: &Services) {
    let key = |name, kind| json!({"AttributeName": name, "KeyType": kind});
    let index = |name, partition, sort| {
        json!({
            "IndexName": name,
            "KeySchema": [key(partition, "HASH"), key(sort, "RANGE")],
            "Projection": {"ProjectionType": "ALL"},
        })
    };
    let numbers = [
        "changeset_id",
        "first_event_id",
        "last_event_id",
        "page",
        "page_item",
    ];
    let numbers = numbers.map(|name| json!({"AttributeName": name, "AttributeType": "N"}));
    let text = json!({"AttributeName": "stream_id", "AttributeType": "S"});
    let table = json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": numbers.into_iter().chain([text]).collect::<Vec<_>>(),
        "KeySchema": [key("stream_id", "HASH"), key("changeset_id", "RANGE")],
        "LocalSecondaryIndexes": [
            index("LastEventId", "stream_id", "last_event_id"),
            index("FirstEventId", "stream_id", "first_event_id"),
        ],
        "GlobalSecondaryIndexes": [index("EmumerationIndex", "page", "page_item")],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
    });
    services.dynamodb("CreateTable", &table).await.unwrap();
    let counter = json!({
        "stream_id": {"S": "!!!RESERVED:GLOBAL-COUNTER!!!"},
        "changeset_id": {"N": "0"},
        "page": {"N": "0"},
        "page_item": {"N": "1"},
        "prev_stream_id": {"S": "b"},
        "prev_changeset_id": {"N": "0"},
        "prev_stream_changeset_id": {"N": "1"},
    });
    for item in [
        counter,
        changeset("a", 1),
        indexed("a", 1, 0),
        changeset("b", 1),
        indexed("b", 1, 1),
        changeset("a", 2),
    ] {
        let put = json!({"TableName": TABLE, "Item": item});
        services.dynamodb("PutItem", &put).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_over_a_table_of_the_original_goes_on_where_it_ends() {
    let services = Services::start().await.unwrap();
    original(&services).await;
    let url = "dynamodb://eventstore?enumeration_index=EmumerationIndex";
    let config = config(url, &services.endpoints().dynamodb);
    let admin = Admin::new(&config, &patient(&config)).await.unwrap();
    admin.create_tables().await.unwrap();
    let taken = admin.take_over(Options::default(), ready(())).await;
    taken.unwrap();

    let asked = json!({"TableName": TABLE});
    let described = services.dynamodb("DescribeTable", &asked).await;
    let stream = described.unwrap()["Table"]["LatestStreamArn"].clone();
    let existing = [
        ("ExistingStreamArn", stream.as_str().unwrap()),
        ("ExistingAnalysisTable", "eventstore_analysis"),
        ("ExistingIndex", "EmumerationIndex"),
    ];
    let stack = Stack::of(template(&existing), Front::ApiGateway, services, options()).await;
    let _subscribers = Subscribers::of(&stack).await;
    let before = [("a", 2), ("b", 1)].map(|(stream, last)| (stream.to_owned(), last));
    let before = Committed(BTreeMap::from(before));
    let committed = stack.fill_on(&before, 4).await;
    stack.settle(&committed).await;
    let order = stack.order().await;
    let kept = [("a", 1), ("b", 1)].map(|(stream, id)| (stream.to_owned(), id));
    assert_eq!(order[..2], kept, "positions are kept");
    let mut told = Subscribers::changesets(&stack).await;
    // The stream still has those of the original; whoever subscribes late does not get them.
    told.retain(|(stream, id)| *id > before.0[stream]);
    let of = |of: &str| -> Vec<u64> {
        let found = told.iter().filter(|(stream, _)| stream == of);
        found.map(|(_, id)| *id).collect()
    };
    assert_eq!((of("a"), of("b")), (vec![3, 4], vec![2, 3, 4]));
    assert_eq!(stack.failures().await, [""; 0]);
}
