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
}

/// The limits of one call of a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishLimits {
    /// The largest number of messages.
    pub messages: usize,
    /// The largest total size of their bodies, in bytes.
    pub batch_bytes: usize,
    /// The largest size of one body, in bytes. A larger message is sent without its payload.
    pub message_bytes: usize,
}

/// Sending a message failed. The message may have been sent all the same.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The messaging service is unreachable, overloaded, or failed. A retry may succeed.
    #[error("publishing is unavailable: {reason}")]
    Unavailable {
        /// The reason, for people.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
    /// The service refuses the message or the sender. A retry fails until an operator intervenes.
    #[error("publishing is refused: {reason}")]
    Refused {
        /// The reason, for people.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
}
