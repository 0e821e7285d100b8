//! The parts of an export.

use std::ops::Range;

use ees_core::consumer::{ConsumerCopy, PartitionCopy};
use ees_core::{Changeset, Checkpoint, Identity};

use crate::hash::Hash;

/// The most changesets between two roots of an export.
pub(crate) const BLOCK_ITEMS: usize = 1000;

/// A part of an export. As text it is a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// The first one.
    Header(Header),
    /// A changeset.
    Changeset(Changeset),
    /// Positions that no changeset has.
    Void(Range<Checkpoint>),
    /// The root of the tree over all positions so far. There are at most 1000 changesets and
    /// [`MAX_PAGE_BYTES`](ees_core::MAX_PAGE_BYTES), or one changeset, between two of them.
    Root {
        /// The end of these positions.
        size: u64,
        /// The root.
        root: Hash,
    },
    /// The saved checkpoint of a subscription.
    Subscription {
        /// Its name.
        name: String,
        /// Its checkpoint.
        checkpoint: Checkpoint,
    },
    /// A consumer. Its partitions follow it.
    Consumer(ConsumerCopy),
    /// A partition of a consumer.
    Partition(PartitionCopy),
    /// The hash of the first line and of all lines behind the changesets so far.
    Check(Hash),
    /// The last one.
    End {
        /// The end of the exported positions.
        size: u64,
        /// The root of the tree over all positions below it.
        root: Hash,
        /// As in [`Part::Check`].
        check: Hash,
    },
}

/// The first part of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The identity of the exported store.
    pub identity: Identity,
    /// The first exported position.
    pub from: Checkpoint,
    /// The root of the tree over the positions below it.
    pub root: Hash,
}
