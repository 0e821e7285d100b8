//! The ports: the contracts between the core and its adapters.
//!
//! The conformance suite has a case for each guarantee of a storage, named by its G number.

mod checkpoint_store;
mod clock;
mod commit_feed;
mod consumer_store;
mod fence;
mod import;
mod index;
mod log_store;
mod news;
mod publisher;
mod statistics;
mod storage;

pub use checkpoint_store::CheckpointStore;
pub use clock::{Clock, SystemClock};
pub use commit_feed::{CommitFeed, CommitFeedSource, Committed, DeferredOrder};
pub use consumer_store::{ConsumerStore, MAX_CONSUMERS, ParkedWrite, StoredPartition};
pub use fence::{Fence, MAX_MOVED_TO};
pub use import::{Import, ImportOutcome};
pub use index::{
    ChangesetKey, Entry, Index, IndexState, MAX_KEYS, PositionWrite, SweepCursor, SweepPage,
};
pub use log_store::{LogStore, MAX_SEALED_TILES, StoredLogHead, Tile, TileId};
pub use news::News;
pub use publisher::{Message, PublishError, PublishLimits, Publisher, Topic};
pub use statistics::StatisticsStore;
pub use storage::Storage;
