//! The items that the author of an adapter needs, in addition to the domain at the crate's root.
//!
//! A storage implements [`Storage`], [`StatisticsStore`] and
//! [`CheckpointStore`](crate::CheckpointStore). Over a transactional database [`group_commit`] does
//! most of the work. A storage that orders after the commit implements [`Index`] for the
//! [`indexer`](crate::indexer), and [`CommitFeed`] to notify it of commits. A publisher implements
//! [`Publisher`]. [`settings`] reads the URL that configures an adapter. `docs/write-an-adapter.md`
//! is the guide. The conformance suite tests the result.

pub mod group_commit;
pub mod settings;

mod filtered;
mod importing;
mod look;
mod names;
mod page_builder;
mod stored;

/// The default of the maximum size of a changeset, for adapters whose database does not set a lower
/// one: 16 MiB of events and metadata.
pub const DEFAULT_MAX_CHANGESET_BYTES: usize = 16 * 1024 * 1024;

pub use crate::changeset::Slot;
pub use crate::commit::{ClientKey, Commit, Outcome};
pub use crate::concurrency::{Refusal, Verdict};
pub use crate::number::parse_number;
pub use crate::ports::{
    ChangesetKey, CommitFeed, CommitFeedSource, Committed, ConsumerStore, DeferredOrder, Entry,
    Fence, Import, ImportOutcome, Index, IndexState, LogStore, MAX_CONSUMERS, MAX_KEYS,
    MAX_MOVED_TO, MAX_SEALED_TILES, Message, News, ParkedWrite, PositionWrite, PublishError,
    PublishLimits, Publisher, StatisticsStore, Storage, StoredLogHead, StoredPartition,
    SweepCursor, SweepPage, Tile, TileId, Topic,
};
pub use crate::publication::MIN_MESSAGE_BYTES;
pub use crate::set::{CommitSet, SetOutcome, SetRefusal};
pub use filtered::read_filtered;
pub use importing::check_import;
pub use look::Look;
pub use names::unknown_name;
pub use page_builder::PageBuilder;
pub use stored::{StoredChangeset, event_count, trusted_events, trusted_json};
