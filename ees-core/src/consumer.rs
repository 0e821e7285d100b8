//! Durable consumers: who reads which part of the global order, and how far everyone has come
//! (G16).
//!
//! A consumer is a name, a filter and a number of partitions. A partition is a set of streams. It has
//! a checkpoint, at most one batch that is out, and its parked streams. [`PartitionState`] decides
//! everything about a partition, without I/O; a model checker explores it. [`Consumers`] has the use
//! cases.

mod acknowledge;
mod claim;
mod consumers;
mod copies;
mod definition;
mod error;
mod look;
mod operators;
mod records;
mod report;
mod run;
mod scan;
mod state;

pub use acknowledge::Acknowledged;
pub use claim::{Claim, Claiming, Delivery, MAX_BATCH};
pub use consumers::Consumers;
pub use copies::{ConsumerCopy, PartitionCopy};
pub use definition::{
    ConsumerDefinition, ConsumerName, ConsumerNameError, DefinitionError, Head, MAX_PARTITIONS,
    OnFailure, StartAt, partition_of,
};
pub use error::ConsumerError;
pub use look::{LiveLook, RetryLook, Share, look_again_in, look_in};
pub use operators::ParkedStream;
pub use report::{BatchReport, ConsumerReport, PartitionReport};
pub use run::Consumer;
pub use state::{
    Ack, AckRefusal, Acked, Batch, BatchKind, Failure, Found, MAX_PARKED, MAX_PARKED_CHANGES,
    Parked, PartitionState, Refused, Work,
};
