//! A block: the changesets that receive positions in one swap.

use crate::StreamId;
use crate::ports::{ChangesetKey, Entry};

use super::lane::{Lane, Plan};

/// The limits of a block, and of the patience with other workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockLimit {
    /// The largest number of members; 0 counts as 1.
    pub members: usize,
    /// The largest size of the intent in bytes, except for a single larger member.
    pub bytes: usize,
    /// How often in a row a worker waits for another one that is at work, before it does that one's
    /// work itself. The pauses double, so that 8 take about a second.
    pub waits: u32,
}

impl Default for BlockLimit {
    /// 100 members, 16 KB, 8 waits.
    fn default() -> Self {
        Self {
            members: 100,
            bytes: 16 * 1024,
            waits: 8,
        }
    }
}

/// The largest size of a member in a stored intent, without its stream id.
const MEMBER_BYTES: usize = 32;

/// A changeset that cannot have a position. The later changesets of its stream have to wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refused {
    /// The key of the changeset.
    pub key: ChangesetKey,
    /// Why.
    pub reason: Unfit,
}

/// Why a changeset cannot have a position.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unfit {
    /// The changeset does not exist, although it was announced, or later ones of its stream exist.
    #[error("the changeset does not exist")]
    Missing,
    /// The item is not a valid changeset; the text says why, for people.
    #[error("it is malformed: {0}")]
    Malformed(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} cannot be indexed: {}; the later changesets of its stream have to wait",
            self.key, self.reason
        )
    }
}

/// A block under construction.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The keys to read before the block is complete.
    pub(super) reads: Vec<ChangesetKey>,
    /// The members so far. The list is complete if there is nothing to read.
    pub(super) members: Vec<ChangesetKey>,
    /// Streams whose candidates all have positions.
    pub(super) settled: Vec<StreamId>,
    /// The changesets that block their streams.
    pub(super) refused: Vec<Refused>,
}

impl Draft {
    /// Plans a block from the state of the lanes, in their order.
    pub(super) fn plan<'a>(lanes: impl Iterator<Item = &'a Lane>, limit: BlockLimit) -> Self {
        let mut draft = Self::default();
        let mut room = Room::new(limit);
        for lane in lanes {
            let weight = lane.stream_id().as_str().len() + MEMBER_BYTES;
            let fit = room.fit(weight);
            if fit == 0 {
                break;
            }
            match lane.plan(fit) {
                Plan::Settled => draft.settled.push(lane.stream_id().clone()),
                Plan::Stuck(key, found) => draft.refuse(key, found),
                Plan::Read(ids, members) => {
                    draft
                        .reads
                        .extend(ids.iter().filter_map(|id| lane.key(*id)));
                    room.take(members, weight);
                }
                Plan::Take(ids) => {
                    let before = draft.members.len();
                    draft.members.extend(ids.filter_map(|id| lane.key(id)));
                    room.take(draft.members.len() - before, weight);
                }
            }
        }
        draft
    }

    fn refuse(&mut self, key: ChangesetKey, found: Entry) {
        let reason = match found {
            Entry::Malformed(reason) => Unfit::Malformed(reason),
            Entry::Missing | Entry::Unindexed | Entry::At(_) => Unfit::Missing,
        };
        self.refused.push(Refused { key, reason });
    }
}

/// The remaining part of a block's limit.
struct Room {
    members: usize,
    bytes: usize,
    untouched: bool,
}

impl Room {
    fn new(limit: BlockLimit) -> Self {
        Self {
            members: limit.members.max(1),
            bytes: limit.bytes,
            untouched: true,
        }
    }

    /// How many members of a weight fit.
    fn fit(&self, weight: usize) -> usize {
        let least = usize::from(self.untouched);
        self.members.min((self.bytes / weight).max(least))
    }

    fn take(&mut self, members: usize, weight: usize) {
        self.untouched = false;
        self.members = self.members.saturating_sub(members);
        self.bytes = self.bytes.saturating_sub(members.saturating_mul(weight));
    }
}
