//! Sends messages to SNS.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use ees_aws::SdkConfig;
use ees_core::adapter::{Message, PublishError, PublishLimits, Publisher, Topic};
use futures_util::future::join_all;

use crate::SnsConfig;
use crate::error::{failed, translate};

/// The maximum number of messages of one call.
const MAX_ENTRIES: usize = 10;

/// The result of one message.
type Sent = Result<(), PublishError>;

/// A publisher to FIFO topics.
#[derive(Debug, Clone)]
pub struct SnsPublisher {
    client: Client,
    config: SnsConfig,
    topics: Vec<Topic>,
}

impl SnsPublisher {
    /// A publisher to the configured topics. It sends no request yet.
    pub fn new(config: &SnsConfig, sdk: &SdkConfig) -> Self {
        let topics = [Topic::Changesets, Topic::Events].into_iter();
        Self {
            client: Client::new(sdk),
            config: config.clone(),
            topics: topics
                .filter(|topic| config.arn(*topic).is_some())
                .collect(),
        }
    }

    /// Sends one call to SNS.
    async fn call(&self, topic: Topic, batch: &[Message]) -> Result<Vec<Sent>, PublishError> {
        let entries = batch.iter().enumerate().map(|(place, message)| {
            PublishBatchRequestEntry::builder()
                .id(place.to_string())
                .message(&message.body)
                .message_group_id(&message.group)
                .message_deduplication_id(&message.deduplication_id)
                .set_message_attributes(attributes(message))
                .build()
        });
        let entries = entries.collect::<Result<_, _>>().map_err(unbuilt)?;
        let call = self.client.publish_batch();
        let call = call.set_topic_arn(self.config.arn(topic).map(str::to_owned));
        let answer = call.set_publish_batch_request_entries(Some(entries)).send();
        let answer = answer.await.map_err(|error| translate(&error))?;
        let failed = answer
            .failed()
            .iter()
            .map(|entry| (entry.id(), Err(failed(entry))));
        let sent = answer
            .successful()
            .iter()
            .filter_map(|entry| Some((entry.id()?, Ok(()))));
        let mut results: HashMap<_, _> = sent.chain(failed).collect();
        let places = (0..batch.len()).map(|place| place.to_string());
        Ok(places
            .map(|place| {
                results
                    .remove(place.as_str())
                    .unwrap_or_else(|| Err(unheard()))
            })
            .collect())
    }
}

#[async_trait]
impl Publisher for SnsPublisher {
    fn topics(&self) -> &[Topic] {
        &self.topics
    }

    fn limits(&self) -> PublishLimits {
        PublishLimits {
            messages: MAX_ENTRIES,
            batch_bytes: self.config.max_message_bytes,
            message_bytes: self.config.max_message_bytes,
        }
    }

    async fn publish(&self, topic: Topic, batch: &[Message]) -> Vec<Sent> {
        match self.call(topic, batch).await {
            Ok(results) => results,
            // One message may be the cause. Each message is sent alone to find it.
            Err(PublishError::Refused { .. }) if batch.len() > 1 => {
                let alone = batch.chunks(1).map(|message| self.call(topic, message));
                let results = join_all(alone).await.into_iter();
                results
                    .map(|result| result?.pop().unwrap_or_else(|| Err(unheard())))
                    .collect()
            }
            Err(error) => vec![Err(error); batch.len()],
        }
    }
}

/// The attributes of a message by their names; `None` if it has none.
fn attributes(message: &Message) -> Option<HashMap<String, MessageAttributeValue>> {
    let given = [
        ("stream_prefix", "String", &message.stream_prefix),
        ("event_types", "String.Array", &message.event_types),
    ];
    let values = given.into_iter().filter_map(|(name, kind, value)| {
        let attribute = MessageAttributeValue::builder().data_type(kind);
        let attribute = attribute.string_value(value.as_ref()?).build().ok()?;
        Some((name.to_owned(), attribute))
    });
    let attributes: HashMap<_, _> = values.collect();
    (!attributes.is_empty()).then_some(attributes)
}

fn unbuilt(error: aws_sdk_sns::error::BuildError) -> PublishError {
    PublishError::Refused {
        reason: "a message lacks a field that SNS requires".to_owned(),
        source: Some(std::sync::Arc::new(error)),
    }
}

fn unheard() -> PublishError {
    PublishError::Unavailable {
        reason: "the answer of SNS has no result for the message".to_owned(),
        source: None,
    }
}
