//! The redrive: what Lambda put into the failures bucket.

use ees_aws_testkit::FunctionError;
use serde_json::{Value, json};

use crate::stack::Resting;
use crate::stream::batch;
use crate::test_store::{SECRET, log, metric};

/// The record of an invocation that failed, as Lambda writes it.
fn record(function: &str, batch: &Value) -> String {
    json!({
        "requestContext": {
            "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
            "functionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{function}"),
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 21,
        },
        "responseContext": {
            "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": "2026-11-14T00:13:49.717Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000001573689847184-864758bb",
            "startSequenceNumber": "800000000003126276362",
            "endSequenceNumber": "800000000003126276362",
            "approximateArrivalOfFirstRecord": "2026-11-14T00:13:19Z",
            "approximateArrivalOfLastRecord": "2026-11-14T00:13:19Z",
            "batchSize": 1,
            "streamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026",
        },
        "payload": batch.to_string(),
    })
    .to_string()
}

fn notification(bucket: &str, key: &str) -> Value {
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2026-11-14T00:13:50.000Z", "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": format!("arn:aws:s3:::{bucket}")},
            "object": {"key": key, "size": 1024, "versionId": "1"},
        },
    }]})
}

const FOLDER: &str = "aws/lambda/7a2b/shardId-0001/2026/11/14/2026-11-14T00.13.49-";

impl Resting {
    async fn put(&self, name: &str, body: String) {
        let (services, bucket) = (self.aws.services(), self.output("FailuresBucket"));
        let key = format!("{FOLDER}{name}");
        services.put_object(&bucket, &key, body).await.unwrap();
    }

    /// How many records an object has.
    async fn records_of(&self, name: &str) -> usize {
        let (services, bucket) = (self.aws.services(), self.output("FailuresBucket"));
        let key = format!("{FOLDER}{name}");
        let object = services.get_object(&bucket, &key).await.unwrap();
        let object: Value = serde_json::from_str(&object).unwrap();
        let batch: Value = serde_json::from_str(object["payload"].as_str().unwrap()).unwrap();
        batch["Records"].as_array().unwrap().len()
    }

    /// The ends of the names of what is left.
    async fn left(&self) -> Vec<String> {
        let keys = self.failures().await;
        keys.iter().map(|key| key.replace(FOLDER, "")).collect()
    }
}

#[tokio::test]
async fn what_failed_is_done_again_and_its_object_deleted() {
    let stack = Resting::start().await;
    stack.subscribe("ChangesetsTopic", "changesets.fifo").await;
    stack.store.commit("a", 0).await;
    stack.store.commit("a", 1).await;
    let committed = batch(&stack.store).await;
    let redrive = stack.function("RedriveFunction");
    stack
        .put("index", record("local-indexer", &committed))
        .await;
    stack
        .put("publish", record("local-publisher:$LATEST", &committed))
        .await;

    let key = format!("{FOLDER}index");
    let notified = redrive
        .invoke(&notification(&stack.output("FailuresBucket"), &key))
        .await;
    assert_eq!(notified, Ok(json!({"done": 1})));
    assert_eq!(stack.store.order().await, ["a/1", "a/2"]);
    assert_eq!(stack.left().await, ["publish"]);
    // Told twice, or late, it is done already.
    let notified = redrive
        .invoke(&notification(&stack.output("FailuresBucket"), &key))
        .await;
    assert_eq!(notified, Ok(json!({"done": 1})));

    assert_eq!(
        redrive.invoke(&json!({"prefix": "aws/lambda/other"})).await,
        Ok(json!({"done": 0}))
    );
    assert_eq!(redrive.invoke(&json!({})).await, Ok(json!({"done": 1})));
    assert_eq!(stack.received("changesets.fifo").await, ["a/1", "a/2"]);
    assert_eq!(stack.left().await, [""; 0]);
    assert_eq!(metric(redrive, "FailuresLeft"), [0; 4]);
}

#[tokio::test]
async fn what_cannot_be_done_again_stays_and_holds_up_nothing() {
    let stack = Resting::start().await;
    stack.store.commit("a", 0).await;
    let committed = batch(&stack.store).await;
    stack.put("1-garbage", SECRET.to_owned()).await;
    stack.put("2-stranger", record("other", &committed)).await;
    stack
        .put("3-publish", record("local-publisher", &committed))
        .await;
    stack
        .put("4-index", record("local-indexer", &committed))
        .await;
    stack.sns.cut();
    let redrive = stack.function("RedriveFunction");
    let failed = redrive.invoke(&json!({})).await;
    let Err(FunctionError::Answered { kind, message }) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(kind, "Left");
    assert!(
        message.starts_with("3 objects remain in the failures bucket"),
        "{message}"
    );
    assert!(message.contains("1-garbage: it is not JSON"), "{message}");
    assert_eq!(stack.left().await, ["1-garbage", "2-stranger", "3-publish"]);
    assert_eq!(stack.store.order().await, ["a/1"]);
    assert_eq!(metric(redrive, "FailuresLeft"), [3]);
    let log: Vec<_> = log(redrive).iter().map(Value::to_string).collect();
    assert!(
        log.iter()
            .any(|line| line.contains("whose name ends with neither")),
        "{log:?}"
    );
    stack.sns.mend();
    assert!(redrive.invoke(&json!({})).await.is_err());
    assert_eq!(stack.left().await, ["1-garbage", "2-stranger"]);
}

#[tokio::test]
async fn what_was_put_aside_with_a_record_that_nobody_can_read_is_sent_once() {
    let stack = Resting::start().await;
    stack.subscribe("ChangesetsTopic", "changesets.fifo").await;
    for stream in ["a", "bad", "c", "gone"] {
        stack.store.commit(stream, 0).await;
    }
    stack.store.spoil("bad", 1).await;
    let mut committed = batch(&stack.store).await;
    for unreadable in [1, 3] {
        committed["Records"][unreadable]["dynamodb"]["NewImage"]["events"] = json!({"N": "1"});
    }
    committed["Records"][3]["dynamodb"]["Keys"]["changeset_id"] = json!({"N": "7"});
    committed["Records"][3]["dynamodb"]["NewImage"]["changeset_id"] = json!({"N": "7"});
    stack
        .put("publish", record("local-publisher", &committed))
        .await;
    let redrive = stack.function("RedriveFunction");
    for sent in [&["a/1", "c/1"][..], &[]] {
        let failed = redrive.invoke(&json!({})).await.unwrap_err();
        assert!(failed.to_string().contains("2 of its "), "{failed}");
        let mut received = stack.received("changesets.fifo").await;
        received.sort();
        assert_eq!(received, sent);
        assert_eq!(stack.records_of("publish").await, 2, "what is left");
    }
}
