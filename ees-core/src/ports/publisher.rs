//! The port that tells others what was committed.

use std::error::Error as StdError;
use std::sync::Arc;

use async_trait::async_trait;

/// Sends messages to subscribers elsewhere.
///
/// An adapter translates; what a message says, and which may go when, is decided by
/// [`Publication`](crate::publication::Publication). Delivery is at-least-once and in the order of each group:
/// who receives a message twice knows it by its deduplication id.
#[async_trait]
pub trait Publisher: Send + Sync + 'static {
    /// The topics that messages are wanted on: each once.
    fn topics(&self) -> &[Topic];

    /// What one call may carry.
    fn limits(&self) -> PublishLimits;

    /// Sends messages to one topic, no two of them of one group, within the limits, and answers for
    /// each, in their order, what became of it. Those that failed may have been sent all the same.
    /// Calls run at the same time, but never two at once with messages of one group to one topic;
    /// a call may be dropped, and may still happen then.
    async fn publish(&self, topic: Topic, batch: &[Message]) -> Vec<Result<(), PublishError>>;
}

/// What subscribers choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A message for each changeset.
    Changesets,
    /// A message for each event.
    Events,
}

/// One message as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Messages of one group arrive in the order in which they were sent: lower-case hex of a hash
    /// of the stream's id.
    pub group: String,
    /// The same for the same changeset or event, whenever and by whomever it is sent.
    pub deduplication_id: String,
    /// A JSON object, of the characters that queues let pass.
    pub body: String,
}

/// What one call of a publisher may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishLimits {
    /// The most messages.
    pub messages: usize,
    /// The most bytes that all their bodies may have together.
    pub batch_bytes: usize,
    /// The most bytes that one body may have; what is larger goes without its payload.
    pub message_bytes: usize,
}

/// A message was not sent, or perhaps was.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// Subscribers' service cannot be reached, is overloaded, or failed. Trying again may help.
    #[error("publishing is unavailable: {reason}")]
    Unavailable {
        /// What is the matter, for people.
        reason: String,
        /// What the driver said.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
    /// The message or the sender is refused. Trying again will not help before somebody has looked.
    #[error("publishing is refused: {reason}")]
    Refused {
        /// What is the matter, for people.
        reason: String,
        /// What the driver said.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
}
