#![doc = include_str!("../README.md")]

pub mod group_commit;
pub mod indexer;
pub mod ports;

mod changeset;
mod checkpoint;
mod concurrency;
mod error;
mod event_store;
mod ids;
mod page;
mod payload;
mod projector;
mod publication;
mod statistics;
mod subscription;
mod timestamp;

pub use changeset::{Changeset, Commit, Event, Head, NewChangeset, Receipt, Slot};
pub use checkpoint::{Checkpoint, EventCheckpoint, EventCheckpointError, PAGE_SIZE, parse_number};
pub use concurrency::{Expectation, Refusal, Verdict};
pub use error::{Conflict, Error};
pub use event_store::{EventStore, GlobalEvent, GlobalEventPage};
pub use ids::{
    ChangesetId, CommitId, CommitIdError, EventId, MAX_COMMIT_ID_CHARS, MAX_ID,
    MAX_STREAM_ID_BYTES, OutOfRange, RESERVED_STREAM_PREFIX, StreamId, StreamIdError,
};
pub use page::{
    Direction, GlobalPage, MAX_PAGE_BYTES, Page, PageBuilder, PageLimit, StreamQuery, StreamRange,
};
pub use payload::{Events, Json, MAX_DEPTH, PayloadError};
pub use projector::Projector;
pub use publication::{MIN_MESSAGE_BYTES, Publication, Unsent};
pub use statistics::Statistics;
pub use subscription::Subscription;
pub use timestamp::{Timestamp, TimestampError};
