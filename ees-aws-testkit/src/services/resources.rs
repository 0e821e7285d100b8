//! Creates a template's tables, topics, queues and buckets, and uses them.

use hyper::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{Services, service_and_name};
use crate::Error;
use crate::template::{Resource, Template};

/// The characters that are encoded in the path of an object.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'/')
    .remove(b'_')
    .remove(b'~');

/// The properties of a table that `CreateTable` accepts. The others are about durability and
/// access, which an emulator does not have.
const TABLE: [&str; 7] = [
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "TableClass",
];

impl Services {
    /// Creates a template's tables, topics, queues and buckets.
    ///
    /// # Errors
    /// [`Error::Service`] if one of them cannot be created.
    pub async fn create(&self, template: &Template) -> Result<(), Error> {
        for resource in template.resources() {
            match resource.kind.as_str() {
                "AWS::DynamoDB::Table" => self.create_table(resource).await?,
                "AWS::SNS::Topic" => self.create_topic(resource).await?,
                "AWS::SQS::Queue" => self.create_queue(resource).await?,
                "AWS::S3::Bucket" => self.create_bucket(resource).await?,
                _ => {}
            }
        }
        Ok(())
    }

    async fn create_table(&self, table: &Resource) -> Result<(), Error> {
        let mut asked = json!({ "TableName": table.name });
        for name in TABLE {
            if let Some(value) = table.properties.get(name) {
                asked[name] = value.clone();
            }
        }
        if let Value::Object(mut stream) = table.properties["StreamSpecification"].clone() {
            stream.insert("StreamEnabled".to_owned(), json!(true));
            asked["StreamSpecification"] = Value::Object(stream);
        }
        self.dynamodb("CreateTable", &asked).await.map(drop)
    }

    async fn create_topic(&self, topic: &Resource) -> Result<(), Error> {
        let attributes = attributes(topic, "TopicName");
        let names = (1..=attributes.len()).map(|index| {
            let entry = format!("Attributes.entry.{index}");
            (format!("{entry}.key"), format!("{entry}.value"))
        });
        let names: Vec<_> = names.collect();
        let mut parameters = vec![("Name", topic.name.as_str())];
        for ((key, value), (attribute, set)) in names.iter().zip(&attributes) {
            let set = set.as_str().unwrap_or_default();
            parameters.extend([(key.as_str(), attribute.as_str()), (value, set)]);
        }
        self.sns("CreateTopic", &parameters).await.map(drop)
    }

    async fn create_queue(&self, queue: &Resource) -> Result<(), Error> {
        let asked = json!({
            "QueueName": queue.name,
            "Attributes": attributes(queue, "QueueName"),
        });
        self.sqs("CreateQueue", &asked).await.map(drop)
    }

    async fn create_bucket(&self, bucket: &Resource) -> Result<(), Error> {
        let path = format!("/{}", bucket.name);
        self.s3(Method::PUT, &path, String::new()).await?;
        let versioning = &bucket.properties["VersioningConfiguration"]["Status"];
        let Some(status) = versioning.as_str() else {
            return Ok(());
        };
        let asked =
            format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        let path = format!("{path}?versioning=");
        self.s3(Method::PUT, &path, asked).await.map(drop)
    }

    /// Stores an object.
    ///
    /// # Errors
    /// [`Error::Service`] if it cannot be stored.
    pub async fn put_object(&self, bucket: &str, key: &str, body: String) -> Result<(), Error> {
        self.s3(Method::PUT, &object(bucket, key), body)
            .await
            .map(drop)
    }

    /// Reads the content of an object.
    ///
    /// # Errors
    /// [`Error::Service`] if the object does not exist.
    pub async fn get_object(&self, bucket: &str, key: &str) -> Result<String, Error> {
        let path = object(bucket, key);
        self.s3(Method::GET, &path, String::new()).await
    }

    /// Lists the keys of a bucket's objects, at most 1000.
    ///
    /// # Errors
    /// [`Error::Service`] if there is no such bucket.
    pub async fn list_objects(&self, bucket: &str) -> Result<Vec<String>, Error> {
        let path = format!("/{bucket}?list-type=2");
        let listed = self.s3(Method::GET, &path, String::new()).await?;
        let keys = listed.split("<Key>").skip(1);
        let keys = keys.filter_map(|rest| rest.split_once("</Key>"));
        Ok(keys.map(|(key, _)| key.to_owned()).collect())
    }

    /// Sends a message to the queue or topic of this ARN.
    ///
    /// # Errors
    /// [`Error::Service`] if the message is refused.
    pub(crate) async fn send(&self, arn: &str, message: &str) -> Result<(), Error> {
        match service_and_name(arn) {
            ("sqs", name) => {
                let asked = json!({"QueueUrl": self.queue_url(name), "MessageBody": message});
                self.sqs("SendMessage", &asked).await.map(drop)
            }
            ("sns", _) => {
                let parameters = [("TopicArn", arn), ("Message", message)];
                self.sns("Publish", &parameters).await.map(drop)
            }
            _ => Err(Error::Service {
                operation: format!("sending to {arn}"),
                said: "it is neither a queue nor a topic".to_owned(),
            }),
        }
    }

    /// The URL of the queue of this name.
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/123456789012/{name}", self.endpoints.sqs)
    }

    /// Takes at most 10 messages out of a queue, and returns their bodies.
    ///
    /// # Errors
    /// [`Error::Service`] if there is no such queue.
    pub async fn receive(&self, queue: &str) -> Result<Vec<Value>, Error> {
        let url = self.queue_url(queue);
        let asked = json!({
            "QueueUrl": url,
            "MaxNumberOfMessages": 10,
            "WaitTimeSeconds": 0,
            "MessageSystemAttributeNames": ["All"],
        });
        let answer = self.sqs("ReceiveMessage", &asked).await?;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        for message in &messages {
            let asked = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
            self.sqs("DeleteMessage", &asked).await?;
        }
        Ok(messages)
    }

    /// Creates a FIFO queue of this name, which must end with `.fifo`, and subscribes it to the
    /// topic of this ARN. The queue receives the raw messages.
    ///
    /// # Errors
    /// [`Error::Service`] if there is no such topic.
    pub async fn subscribe(&self, topic: &str, queue: &str) -> Result<(), Error> {
        self.subscribe_filtered(topic, queue, &json!({})).await
    }

    /// As [`Services::subscribe`], with a filter policy on the attributes of messages.
    ///
    /// # Errors
    /// [`Error::Service`] if there is no such topic.
    pub async fn subscribe_filtered(
        &self,
        topic: &str,
        queue: &str,
        policy: &Value,
    ) -> Result<(), Error> {
        let asked = json!({"QueueName": queue, "Attributes": {"FifoQueue": "true"}});
        self.sqs("CreateQueue", &asked).await?;
        let arn = topic.rsplit_once(':').map_or(topic, |(account, _)| account);
        let arn = format!("{}:{queue}", arn.replacen(":sns:", ":sqs:", 1));
        let policy = policy.to_string();
        let mut parameters = vec![
            ("TopicArn", topic),
            ("Protocol", "sqs"),
            ("Endpoint", &arn),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", "true"),
        ];
        if policy != "{}" {
            parameters.push(("Attributes.entry.2.key", "FilterPolicy"));
            parameters.push(("Attributes.entry.2.value", &policy));
        }
        self.sns("Subscribe", &parameters).await.map(drop)
    }

    /// Publishes a message to the FIFO topic of this ARN.
    ///
    /// # Errors
    /// [`Error::Service`] if there is no such topic.
    pub async fn publish(
        &self,
        topic: &str,
        message: &str,
        group: &str,
        deduplication_id: &str,
    ) -> Result<(), Error> {
        let asked = [
            ("TopicArn", topic),
            ("Message", message),
            ("MessageGroupId", group),
            ("MessageDeduplicationId", deduplication_id),
        ];
        self.sns("Publish", &asked).await.map(drop)
    }

    /// Calls an operation of `DynamoDB` with its JSON: `PutItem`.
    ///
    /// # Errors
    /// [`Error::Service`] with the answer of the service.
    pub async fn dynamodb(&self, operation: &str, asked: &Value) -> Result<Value, Error> {
        let operation = format!("DynamoDB_20120810.{operation}");
        let endpoint = &self.endpoints.dynamodb;
        self.client.json(endpoint, &operation, asked).await
    }

    pub(crate) async fn streams(&self, operation: &str, asked: &Value) -> Result<Value, Error> {
        let operation = format!("DynamoDBStreams_20120810.{operation}");
        let endpoint = self.streams_endpoint();
        self.client.json(endpoint, &operation, asked).await
    }

    /// Calls an operation of SQS with its JSON: `ReceiveMessage`.
    ///
    /// # Errors
    /// [`Error::Service`] with the answer of the service.
    pub async fn sqs(&self, operation: &str, asked: &Value) -> Result<Value, Error> {
        let operation = format!("AmazonSQS.{operation}");
        self.client
            .json(&self.endpoints.sqs, &operation, asked)
            .await
    }

    /// Calls an operation of `CloudWatch` Logs with its JSON: `PutLogEvents`.
    pub(crate) async fn logs(&self, operation: &str, asked: &Value) -> Result<Value, Error> {
        let operation = format!("Logs_20140328.{operation}");
        self.client.json(self.others(), &operation, asked).await
    }

    /// Calls an operation of `CloudWatch`.
    pub(crate) async fn cloudwatch(
        &self,
        operation: &str,
        asked: &[(&str, &str)],
    ) -> Result<String, Error> {
        let service = ("monitoring", "2010-08-01");
        self.client
            .query(service, self.others(), operation, asked)
            .await
    }

    async fn sns(&self, operation: &str, asked: &[(&str, &str)]) -> Result<String, Error> {
        self.client.sns(&self.endpoints.sns, operation, asked).await
    }

    async fn s3(&self, method: Method, path: &str, body: String) -> Result<String, Error> {
        self.client.s3(&self.endpoints.s3, method, path, body).await
    }
}

fn object(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", utf8_percent_encode(key, KEY))
}

/// The properties that are attributes, as text.
fn attributes(resource: &Resource, name: &str) -> Map<String, Value> {
    let properties = resource.properties.as_object().into_iter().flatten();
    let own = properties.filter(|(key, _)| *key != name && *key != "Tags");
    let text = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (key.clone(), Value::String(value))
    };
    own.map(text).collect()
}
