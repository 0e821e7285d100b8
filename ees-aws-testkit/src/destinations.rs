//! Sends failed batches and events to their destinations, and notifies functions of new objects.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::function::FunctionError;
use crate::queue::Queue;
use crate::record::{created, number};
use crate::services::{Services, service_and_name};
use crate::template::Trigger;
use crate::{Error, Pace};

/// The number of attempts to reach a destination. After them the record is lost, as on AWS.
const TRIES: u32 = 8;

/// Records of a stream that Lambda gives up.
pub(crate) struct StreamFailure<'a> {
    pub(crate) mapping: &'a str,
    pub(crate) function: String,
    pub(crate) stream: &'a str,
    pub(crate) shard: &'a str,
    pub(crate) condition: &'static str,
    pub(crate) invocations: u32,
    pub(crate) error: Option<FunctionError>,
    pub(crate) records: Vec<Value>,
}

/// An asynchronous invocation that Lambda gives up.
pub(crate) struct AsyncFailure<'a> {
    pub(crate) function: String,
    pub(crate) condition: &'static str,
    pub(crate) invocations: u32,
    pub(crate) error: &'a FunctionError,
    pub(crate) event: &'a Value,
}

/// The services, and the functions that receive notifications of new objects.
pub(crate) struct Destinations {
    services: Arc<Services>,
    /// Set once the functions exist, since they need the destinations themselves.
    triggers: OnceLock<Vec<(Trigger, Queue)>>,
    pace: Pace,
}

impl Destinations {
    pub(crate) fn new(services: Arc<Services>, pace: Pace) -> Self {
        Self {
            services,
            triggers: OnceLock::new(),
            pace,
        }
    }

    /// Notifies these functions of new objects from now on.
    pub(crate) fn notify(&self, triggers: Vec<(Trigger, Queue)>) {
        let _ = self.triggers.set(triggers);
    }

    /// Sends the record of a batch that was given up. A bucket gets it with the batch's payload,
    /// other destinations without.
    pub(crate) async fn give_up_records(&self, destination: &str, failure: StreamFailure<'_>) {
        let now = Timestamp::now();
        let id = Uuid::new_v4();
        let mapping = Uuid::from_u128(u128::from_be_bytes(padded(failure.mapping)));
        let key = format!(
            "aws/lambda/{mapping}/{}/{}-{id}",
            failure.shard,
            now.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S")
        );
        let mut record = stream_record(&failure, now, &id);
        let (service, bucket) = service_and_name(destination);
        if service == "s3" {
            let event = json!({ "Records": failure.records });
            record["payload"] = json!(event.to_string());
            self.insist(|| self.put(bucket, &key, record.to_string()))
                .await;
        } else {
            let record = record.to_string();
            self.insist(|| self.services.send(destination, &record))
                .await;
        }
    }

    /// Sends the record of an invocation that was given up.
    pub(crate) async fn give_up_invocation(&self, destination: &str, failure: AsyncFailure<'_>) {
        let now = Timestamp::now();
        let id = Uuid::new_v4();
        let record = async_record(&failure, now, &id).to_string();
        let (service, bucket) = service_and_name(destination);
        if service == "s3" {
            let name = service_and_name(&failure.function).1;
            let time = now.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S");
            let key = format!("aws/lambda/async/{name}/{time}-{id}");
            self.insist(|| self.put(bucket, &key, record.clone())).await;
        } else {
            self.insist(|| self.services.send(destination, &record))
                .await;
        }
    }

    /// Sends an event unchanged, as to a dead-letter queue.
    pub(crate) async fn send_event(&self, destination: &str, event: &Value) {
        let event = event.to_string();
        self.insist(|| self.services.send(destination, &event))
            .await;
    }

    /// Stores an object, and notifies the functions with a matching trigger.
    pub(crate) async fn put(&self, bucket: &str, key: &str, body: String) -> Result<(), Error> {
        let size = body.len();
        self.services.put_object(bucket, key, body).await?;
        for (trigger, queue) in self.triggers.get().into_iter().flatten() {
            if wants(trigger, bucket, key) {
                queue.push(created_event(bucket, key, size)).await;
            }
        }
        Ok(())
    }

    async fn insist<F, S>(&self, send: S)
    where
        F: Future<Output = Result<(), Error>>,
        S: Fn() -> F,
    {
        for tried in 0..TRIES {
            match send().await {
                Ok(()) => return,
                Err(error) if tried + 1 == TRIES => {
                    eprintln!("local AWS: a failed record is lost: {error}");
                }
                Err(_) => tokio::time::sleep(self.pace.pause(tried)).await,
            }
        }
    }
}

/// Whether a trigger matches this object.
fn wants(trigger: &Trigger, bucket: &str, key: &str) -> bool {
    let put = |event: &String| {
        matches!(
            event.as_str(),
            "s3:ObjectCreated:*" | "s3:ObjectCreated:Put"
        )
    };
    trigger.bucket == bucket
        && trigger.events.iter().any(put)
        && key.starts_with(&trigger.prefix)
        && key.ends_with(&trigger.suffix)
}

/// The notification of S3 of a new object. The key is encoded as in a form.
fn created_event(bucket: &str, key: &str, size: usize) -> Value {
    let key: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    // Slashes are not encoded.
    let key = key.replace("%2F", "/");
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:local"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "local", "x-amz-id-2": "local"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "local",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "local"},
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": {"key": key, "size": size, "eTag": "local", "sequencer": "0"},
        },
    }]})
}

fn stream_record(failure: &StreamFailure, now: Timestamp, id: &Uuid) -> Value {
    let (first, last) = (failure.records.first(), failure.records.last());
    let number = |record: Option<&Value>| record.map(number).map(str::to_owned);
    let arrival = |record: Option<&Value>| {
        let since = record.map(created).unwrap_or_default();
        Timestamp::try_from(std::time::UNIX_EPOCH + since)
            .map(|time| time.to_string())
            .ok()
    };
    let mut record = json!({
        "requestContext": {
            "requestId": id.to_string(),
            "functionArn": failure.function,
            "condition": failure.condition,
            "approximateInvokeCount": failure.invocations,
        },
        "version": "1.0",
        "timestamp": milliseconds(now),
        "DDBStreamBatchInfo": {
            "shardId": failure.shard,
            "startSequenceNumber": number(first),
            "endSequenceNumber": number(last),
            "approximateArrivalOfFirstRecord": arrival(first),
            "approximateArrivalOfLastRecord": arrival(last),
            "batchSize": failure.records.len(),
            "streamArn": failure.stream,
        },
    });
    if failure.invocations > 0 {
        record["responseContext"] = response_context(failure.error.is_some());
    }
    record
}

fn async_record(failure: &AsyncFailure, now: Timestamp, id: &Uuid) -> Value {
    json!({
        "version": "1.0",
        "timestamp": milliseconds(now),
        "requestContext": {
            "requestId": id.to_string(),
            "functionArn": format!("{}:$LATEST", failure.function),
            "condition": failure.condition,
            "approximateInvokeCount": failure.invocations,
        },
        "requestPayload": failure.event,
        "responseContext": response_context(true),
        "responsePayload": {"errorMessage": failure.error.to_string()},
    })
}

fn response_context(failed: bool) -> Value {
    let mut context = json!({"statusCode": 200, "executedVersion": "$LATEST"});
    if failed {
        context["functionError"] = json!("Unhandled");
    }
    context
}

fn milliseconds(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The first bytes of a name. They replace the id that a mapping has on AWS.
fn padded(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    bytes
}
