//! The publisher: batches of the stream, good, poisoned and failing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stack::Resting;
use crate::stream::{batch, numbers};
use crate::test_store::metric;

/// Of one stream, as they were received.
fn of<'a>(stream: &str, received: &'a [String]) -> Vec<&'a str> {
    let of = received
        .iter()
        .filter(|one| one.starts_with(&format!("{stream}/")));
    of.map(String::as_str).collect()
}

#[tokio::test]
async fn what_is_committed_goes_out_in_its_streams_order() {
    let stack = Resting::start().await;
    stack.subscribe("ChangesetsTopic", "changesets.fifo").await;
    stack.subscribe("EventsTopic", "events.fifo").await;
    for (stream, last) in [("a", 0), ("b", 0), ("a", 1)] {
        stack.store.commit(stream, last).await;
    }
    let publisher = stack.function("PublisherFunction");
    let committed = batch(&stack.store).await;
    let done = json!({"batchItemFailures": []});
    assert_eq!(publisher.invoke(&committed).await, Ok(done));
    for queue in ["changesets.fifo", "events.fifo"] {
        let received = stack.received(queue).await;
        assert_eq!(received.len(), 3, "{queue}: {received:?}");
        assert_eq!(of("a", &received), ["a/1", "a/2"]);
    }
    assert_eq!(metric(publisher, "PublishedChangesets"), [3]);
    assert_eq!(metric(publisher, "PublishLag").len(), 1);
}

#[tokio::test]
async fn without_sns_it_waits_and_sends_all_in_order() {
    let stack = Resting::start().await;
    stack.subscribe("ChangesetsTopic", "changesets.fifo").await;
    stack.store.commit("a", 0).await;
    stack.store.commit("a", 1).await;
    let publisher = stack.function("PublisherFunction");
    let committed = batch(&stack.store).await;
    stack.sns.cut();
    let mended = async {
        while !publisher.log().contains("cannot be published") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stack.sns.mend();
    };
    let (answer, ()) = tokio::join!(publisher.invoke(&committed), mended);
    assert_eq!(answer, Ok(json!({"batchItemFailures": []})));
    assert_eq!(metric(publisher, "UnpublishedChangesets"), [0]);
    assert_eq!(stack.received("changesets.fifo").await, ["a/1", "a/2"]);
    assert_eq!(stack.failures().await, [""; 0], "nothing is set aside");
}

#[tokio::test]
async fn a_poisoned_record_is_set_aside_alone() {
    let stack = Resting::start().await;
    stack.subscribe("ChangesetsTopic", "changesets.fifo").await;
    for stream in ["a", "bad", "c"] {
        stack.store.commit(stream, 0).await;
    }
    let mut committed = batch(&stack.store).await;
    committed["Records"][1]["dynamodb"]["NewImage"]["events"] = json!({"N": "1"});
    let publisher = stack.function("PublisherFunction");
    let done = json!({"batchItemFailures": []});
    // A second delivery replaces the object.
    for _ in 0..2 {
        assert_eq!(publisher.invoke(&committed).await, Ok(done.clone()));
    }
    let mut received = stack.received("changesets.fifo").await;
    received.sort();
    assert_eq!(received, ["a/1", "c/1"], "other streams go on");
    let log = publisher.log();
    assert!(log.contains("changeset 1 of stream `bad`"), "{log}");
    let key = format!("refused/{}", numbers(&committed)[1]);
    assert_eq!(stack.failures().await, [key.as_str()]);
    let bucket = stack.output("FailuresBucket");
    let services = stack.aws.services();
    let object = services.get_object(&bucket, &key).await.unwrap();
    let object: Value = serde_json::from_str(&object).unwrap();
    let payload: Value = serde_json::from_str(object["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["Records"], json!([committed["Records"][1]]));
}
