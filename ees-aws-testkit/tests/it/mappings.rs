//! Records on their way to a function, and what becomes of those that it cannot process.

use std::path::Path;
use std::time::Duration;

use ees_aws_testkit::{LocalAws, Services};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::stack::{printed, put, start, start_with};

/// The ids that the function got, delivery by delivery.
fn delivered(aws: &LocalAws) -> Vec<Vec<String>> {
    let printed = printed(aws, "Records").into_iter();
    printed
        .map(|ids| serde_json::from_value(ids).unwrap())
        .collect()
}

/// The invocation records in the bucket, in the order of their records.
async fn failures(aws: &LocalAws) -> Vec<Value> {
    let mut records = Vec::new();
    for key in aws.services().list_objects("failures").await.unwrap() {
        let object = aws.services().get_object("failures", &key).await.unwrap();
        records.push(serde_json::from_str::<Value>(&object).unwrap());
    }
    records.sort_by_key(|record| record["DDBStreamBatchInfo"]["startSequenceNumber"].to_string());
    records
}

/// The ids in the payload of an invocation record.
fn payload(record: &Value) -> Vec<String> {
    let payload: Value = serde_json::from_str(record["payload"].as_str().unwrap()).unwrap();
    let records = payload["Records"].as_array().unwrap().iter();
    let id = |record: &Value| {
        record["dynamodb"]["NewImage"]["id"]["S"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    records.map(id).collect()
}

#[tokio::test]
async fn records_come_in_batches_in_their_order_and_those_that_do_not_pass_do_not() {
    let aws = start(Services::start().await.unwrap()).await;
    aws.pause("Records/Stream", true).unwrap();
    let ids: Vec<String> = (0..25).map(|index| format!("i{index}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    put(aws.services(), &ids).await;
    let changed = json!({"TableName": "things", "Item": {"id": {"S": "i0"}, "new": {"S": "x"}}});
    aws.services().dynamodb("PutItem", &changed).await.unwrap();
    aws.pause("Records/Stream", false).unwrap();
    aws.settle().await;
    let batches = delivered(&aws);
    assert_eq!(batches.concat(), ids);
    assert!(batches.iter().all(|batch| batch.len() <= 10), "{batches:?}");
    assert!(failures(&aws).await.is_empty());
}

/// Puts items for which the function waits until there is a file `go` in a folder.
async fn put_held(aws: &LocalAws, ids: &[String], folder: &Path) {
    for id in ids {
        let item = json!({"id": {"S": id}, "folder": {"S": folder.to_str()}});
        let asked = json!({"TableName": "things", "Item": item});
        aws.services().dynamodb("PutItem", &asked).await.unwrap();
    }
}

/// Each shard has a batch of its own under way. A child is read once its parent was processed.
#[tokio::test]
async fn shards_are_read_side_by_side_and_parents_before_their_children() {
    let aws = start_with(Services::start().await.unwrap(), "", 4).await;
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str| -> Vec<String> { (0..8).map(|id| format!("{name}{id}")).collect() };
    let (before, after) = (named("early"), named("after"));
    aws.pause("Records/Stream", true).unwrap();
    put_held(&aws, &before, folder.path()).await;
    aws.pause("Records/Stream", false).unwrap();
    let waiting = async |batches| {
        while delivered(&aws).len() < batches {
            sleep(Duration::from_millis(10)).await;
        }
    };
    waiting(4).await;
    aws.split_shards();
    put_held(&aws, &after, folder.path()).await;
    // Time to do it wrong.
    sleep(Duration::from_millis(300)).await;
    assert_eq!(delivered(&aws).len(), 4, "{:?}", delivered(&aws));
    std::fs::write(folder.path().join("go"), "").unwrap();
    aws.settle().await;
    let batches = delivered(&aws);
    assert!(batches.iter().all(|batch| batch.is_sorted()), "{batches:?}");
    assert!(batches.len() > 8, "shards were split: {batches:?}");
    let (mut first, mut second) = (batches[..4].concat(), batches[4..].concat());
    first.sort();
    second.sort();
    assert_eq!((first, second), (before, after));
}

#[tokio::test]
async fn an_error_isolates_the_record_that_it_comes_from() {
    let aws = start(Services::start().await.unwrap()).await;
    aws.pause("Records/Stream", true).unwrap();
    put(aws.services(), &["a", "b", "poison", "c", "crash", "d"]).await;
    aws.pause("Records/Stream", false).unwrap();
    aws.settle().await;
    let alone = |id: &str| {
        let of = delivered(&aws);
        of.iter().filter(|batch| **batch == [id]).count()
    };
    assert_eq!(
        (alone("poison"), alone("crash")),
        (3, 3),
        "{:?}",
        delivered(&aws)
    );
    let failures = failures(&aws).await;
    assert_eq!(
        failures.iter().map(payload).collect::<Vec<_>>(),
        [["poison"], ["crash"]]
    );
    for record in &failures {
        assert_eq!(
            record["requestContext"]["condition"],
            "RetryAttemptsExhausted"
        );
        assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
        let function = "arn:aws:lambda:us-east-1:123456789012:function:local-Records";
        assert_eq!(record["requestContext"]["functionArn"], function);
        assert_eq!(record["responseContext"]["functionError"], "Unhandled");
        assert_eq!(record["DDBStreamBatchInfo"]["batchSize"], 1);
    }
    // The others were all done, in their order.
    let last = |id: &str| {
        delivered(&aws)
            .iter()
            .rposition(|batch| batch.iter().any(|i| i == id))
    };
    assert!(last("a") < last("c") && last("c") < last("d"));
}

#[tokio::test]
async fn a_report_brings_everything_from_its_record_on_again_and_the_redrive_is_told() {
    let aws = start(Services::start().await.unwrap()).await;
    aws.pause("Records/Stream", true).unwrap();
    put(aws.services(), &["a", "bad", "b"]).await;
    aws.pause("Records/Stream", false).unwrap();
    aws.settle().await;
    let expected = [vec!["a", "bad", "b"], vec!["bad", "b"], vec!["bad", "b"]];
    assert_eq!(delivered(&aws), expected);
    let failures = failures(&aws).await;
    assert_eq!(failures.len(), 1);
    assert_eq!(payload(&failures[0]), ["bad", "b"]);
    assert_eq!(failures[0]["responseContext"].get("functionError"), None);
    let told = printed(&aws, "Redrive");
    assert_eq!(told.len(), 1);
    let object = &told[0]["Records"][0];
    assert_eq!(object["s3"]["bucket"]["name"], "failures");
    let key = object["s3"]["object"]["key"].as_str().unwrap();
    assert_eq!(
        aws.services().list_objects("failures").await.unwrap(),
        [key]
    );
    assert!(key.starts_with("aws/lambda/"), "{key}");
}

#[tokio::test]
async fn what_cannot_be_redriven_ends_as_a_dead_letter() {
    let aws = start(Services::start().await.unwrap()).await;
    aws.put_object("failures", "a hopeless/key+1", "{}".to_owned())
        .await
        .unwrap();
    aws.settle().await;
    let told = printed(&aws, "Redrive");
    assert_eq!(told.len(), 3, "once and two retries");
    assert_eq!(
        told[0]["Records"][0]["s3"]["object"]["key"],
        "a+hopeless/key%2B1"
    );
    let letters = aws.services().receive("letters").await.unwrap();
    let letter: Value = serde_json::from_str(letters[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(letter["requestPayload"], told[0]);
    assert_eq!(letter["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(letter["requestContext"]["approximateInvokeCount"], 3);
    aws.run_schedule("Redrive").await.unwrap();
    assert_eq!(printed(&aws, "Redrive")[3], json!({"by": "schedule"}));
}

#[tokio::test]
async fn a_disturbance_decides_what_is_delivered() {
    let aws = start(Services::start().await.unwrap()).await;
    aws.disturb("Records/Stream", || {
        |batch: Vec<Value>| vec![batch.clone(), Vec::new(), batch]
    })
    .unwrap();
    put(aws.services(), &["a"]).await;
    aws.settle().await;
    assert_eq!(delivered(&aws), [["a"], ["a"]]);
    aws.calm("Records/Stream").unwrap();
    put(aws.services(), &["b"]).await;
    aws.settle().await;
    assert_eq!(delivered(&aws), [["a"], ["a"], ["b"]]);
    let unknown = aws.calm("Records/Streams").unwrap_err().to_string();
    assert_eq!(
        unknown,
        "the template has no mapping `Records/Streams`; it has Records/Stream"
    );
}
