#![doc = include_str!("../README.md")]

pub mod adapter;
pub mod consumer;
pub mod indexer;
pub mod publication;

mod changeset;
mod checkpoint;
mod commit;
mod concurrency;
mod error;
mod event_store;
mod event_type;
mod filter;
mod from_text;
mod identity;
mod ids;
mod measure;
mod number;
mod page;
mod payload;
mod ports;
mod projector;
mod query;
mod set;
mod set_mark;
mod spans;
mod statistics;
mod storage_error;
mod subscription;
mod timestamp;
mod typed;

pub use changeset::{Changeset, Event, Head, Receipt};
pub use checkpoint::{Checkpoint, EventCheckpoint, EventCheckpointError};
pub use commit::{MAX_FORTHCOMING, NewChangeset};
pub use concurrency::Expectation;
pub use error::{Conflict, Error, OtherStore, SetConflict, Unmet};
pub use event_store::{EventStore, GlobalEvent, GlobalEventPage, InPlace, Onward};
pub use filter::Filter;
pub use identity::{FormerId, Identity, StoreId, StoreIdError};
pub use ids::{
    CommitId, CommitIdError, MAX_COMMIT_ID_CHARS, MAX_STREAM_ID_BYTES, RESERVED_STREAM_PREFIX,
    StreamId, StreamIdError,
};
pub use number::{ChangesetId, EventId, MAX_ID, NumberError, OutOfRange};
pub use page::{GlobalPage, MAX_PAGE_BYTES, Page, PageLimit};
pub use payload::{Events, Json, MAX_DEPTH, PayloadError};
pub use ports::{CheckpointStore, Clock, SystemClock};
pub use projector::Projector;
pub use query::{Direction, StreamItem, StreamQuery, StreamRange};
pub use set::{Check, MAX_SET_CHECKS, MAX_SET_COMMITS, NewSet, SET_SIZE_FACTOR, SetError};
pub use set_mark::{SetMark, SetMarkError};
pub use spans::SPANS;
pub use statistics::Statistics;
pub use storage_error::{StorageError, Written};
pub use subscription::Subscription;
pub use timestamp::{Timestamp, TimestampError};
pub use typed::UnreadableEvent;
