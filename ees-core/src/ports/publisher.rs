//! The port that sends messages about commits to subscribers.

use std::error::Error as StdError;
use std::sync::Arc;

use async_trait::async_trait;

/// Sends messages to subscribers outside the store.
///
/// An adapter only translates calls. [`Publication`](crate::publication::Publication) decides the
/// content of each message and when it may be sent. Delivery is at-least-once, and in order within
/// each group. A subscriber recognises a repeated message by its deduplication id.
#[async_trait]
pub trait Publisher: Send + Sync + 'static {
    /// The topics to publish on, each once.
    fn topics(&self) -> &[Topic];

    /// The limits of one call.
    fn limits(&self) -> PublishLimits;

    /// Sends messages to one topic and returns one result per message, in the same order. The batch
    /// is within the limits and has at most one message of each group. A failed message may have
    /// been sent all the same. Calls may run concurrently, but never two with messages of one group
    /// to one topic. A dropped call may still take effect.
    async fn publish(&self, topic: Topic, batch: &[Message]) -> Vec<Result<(), PublishError>>;
}

/// The kind of messages that a subscriber can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A message for each changeset.
    Changesets,
    /// A message for each event.
    Events,
}

/// One message as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The group of the message: a hash of the stream's id in lower-case hex. Messages of one group
    /// arrive in the order in which they were sent.
    pub group: String,
    /// The id that every message about the same changeset or event has, whichever process sends it.
    pub deduplication_id: String,
    /// A JSON object that contains only characters that queues accept.
    pub body: String,
    /// The stream id up to its first `-`, or the whole id if it has none: for subscribers that filter.
    /// `None` if it is empty or contains characters that queues refuse, or if there is no room for it.
    pub stream_prefix: Option<String>,
    /// The distinct types of the events, a JSON array of strings: for subscribers that filter. `None`
    /// if there are none, if they do not fit into a kilobyte, or if there is no room for them.
    pub event_types: Option<String>,
}

impl Message {
    /// An estimate of the bytes that an attribute takes in addition to its value.
    const ATTRIBUTE_BYTES: usize = 32;

    /// The size of the body and the attributes, in bytes.
    pub fn bytes(&self) -> usize {
        let attributes = [&self.stream_prefix, &self.event_types]
            .into_iter()
            .flatten();
        let sizes = attributes.map(|attribute| attribute.len() + Self::ATTRIBUTE_BYTES);
        self.body.len() + sizes.sum::<usize>()
    }
}

/// The limits of one call of a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishLimits {
    /// The largest number of messages.
    pub messages: usize,
    /// The largest total size of their bodies and attributes, in bytes.
    pub batch_bytes: usize,
    /// The largest size of one body with its attributes, in bytes. A larger message is sent without its payload.
    pub message_bytes: usize,
}

/// Sending a message failed. The message may have been sent all the same.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The messaging service is unreachable, overloaded, failed, or refuses the sender. A retry may
    /// succeed, perhaps only after an operator has intervened. Messages wait for it in their order.
    #[error("publishing is unavailable: {reason}")]
    Unavailable {
        /// The reason, for people.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
    /// The service refuses the message itself. A retry of the same message fails.
    #[error("publishing is refused: {reason}")]
    Refused {
        /// The reason, for people.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
}
