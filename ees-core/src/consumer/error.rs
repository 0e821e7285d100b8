//! Why a call of a consumer failed.

use super::{ConsumerName, ConsumerNameError, DefinitionError};
use crate::StreamId;
use crate::adapter::MAX_CONSUMERS;

/// Why a call of a consumer failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsumerError {
    /// The store was opened without a storage for consumers.
    #[error("this store keeps no consumers")]
    NotSupported,
    /// The text is not the name of a consumer.
    #[error(transparent)]
    Name(#[from] ConsumerNameError),
    /// The definition breaks a rule.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The name has another definition.
    #[error("consumer `{0}` exists with another definition")]
    Exists(ConsumerName),
    /// The store has as many consumers as it can.
    #[error("the store has {MAX_CONSUMERS} consumers, which is the most")]
    TooMany,
    /// The consumer gets streams that the caller may not reach ([`Consumers::within`]).
    ///
    /// [`Consumers::within`]: super::Consumers::within
    #[error("consumer `{0}` gets streams that the caller may not reach")]
    OutOfReach(ConsumerName),
    /// The name has no definition.
    #[error("consumer `{0}` does not exist")]
    NotFound(ConsumerName),
    /// The batch is not out any more: it was acknowledged, taken over, or ended by an operator.
    /// Nothing was changed.
    #[error(
        "the batch of partition {partition} is not out any more: its generation is {generation} now"
    )]
    Fenced {
        /// The partition.
        partition: u16,
        /// The generation of its last batch.
        generation: u64,
    },
    /// A number or a list does not fit the batch or the partition. Nothing was changed.
    #[error("{0}")]
    Invalid(String),
    /// The stream is not parked.
    #[error("stream `{0}` is not parked")]
    NotParked(StreamId),
}
