//! The events table's stream, as an event source mapping hands it over.

use std::collections::HashMap;

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::primitives::DateTime;
use aws_sdk_dynamodbstreams::types::{AttributeValue, Record, ShardIteratorType};
use serde_json::{Map, Value, json};

use crate::test_store::TestStore;

/// All records that the stream has, as one batch.
pub(crate) async fn batch(store: &TestStore) -> Value {
    let client = Client::new(&store.sdk);
    let stream = store.storage.stream_arn();
    let described = client
        .describe_stream()
        .stream_arn(stream)
        .send()
        .await
        .unwrap();
    let description = described.stream_description.unwrap();
    let mut records = Vec::new();
    for shard in description.shards() {
        let iterator = client
            .get_shard_iterator()
            .stream_arn(stream)
            .shard_id(shard.shard_id().unwrap())
            .shard_iterator_type(ShardIteratorType::TrimHorizon)
            .send()
            .await
            .unwrap();
        let mut next = iterator.shard_iterator;
        while let Some(iterator) = next {
            let read = client
                .get_records()
                .shard_iterator(iterator)
                .send()
                .await
                .unwrap();
            next = read
                .next_shard_iterator
                .filter(|_| !read.records.as_ref().unwrap().is_empty());
            records.extend(
                read.records
                    .unwrap()
                    .iter()
                    .map(|record| as_json(record, stream)),
            );
        }
    }
    json!({"Records": records})
}

fn as_json(record: &Record, stream: &str) -> Value {
    let change = record.dynamodb().unwrap();
    json!({
        "eventID": record.event_id(),
        "eventName": record.event_name().unwrap().as_str(),
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": change.approximate_creation_date_time().map(DateTime::secs),
            "Keys": change.keys().map(attributes),
            "NewImage": change.new_image().map(attributes),
            "SequenceNumber": change.sequence_number(),
            "SizeBytes": change.size_bytes(),
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": stream,
    })
}

fn attributes(attributes: &HashMap<String, AttributeValue>) -> Map<String, Value> {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        other => panic!("{other:?}"),
    };
    attributes
        .iter()
        .map(|(name, of)| (name.clone(), value(of)))
        .collect()
}

/// The sequence numbers of a batch.
pub(crate) fn numbers<'a>(batch: &'a Value) -> Vec<&'a str> {
    let records = batch["Records"].as_array().unwrap();
    let number = |record: &'a Value| record["dynamodb"]["SequenceNumber"].as_str();
    records
        .iter()
        .map(|record| number(record).unwrap())
        .collect()
}
