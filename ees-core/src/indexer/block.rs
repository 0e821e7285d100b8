//! A block: what is given positions at once.

use crate::StreamId;
use crate::ports::{ChangesetKey, Entry};

use super::lane::{Lane, Plan};

/// How large a block may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockLimit {
    /// At most so many members; 0 counts as 1.
    pub members: usize,
    /// At most so many bytes of intent, save for a single larger member.
    pub bytes: usize,
}

impl Default for BlockLimit {
    /// 100 members, 16 KB.
    fn default() -> Self {
        Self {
            members: 100,
            bytes: 16 * 1024,
        }
    }
}

/// What a member takes in a stored intent beside its stream id, at most.
const MEMBER_BYTES: usize = 32;

/// A changeset that cannot have a position. What follows it in its stream has to wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refused {
    /// Where it stands.
    pub key: ChangesetKey,
    /// Why.
    pub reason: Unfit,
}

/// Why a changeset cannot have a position.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unfit {
    /// There is none, although it was announced, or others of its stream follow it.
    #[error("there is no such changeset")]
    Missing,
    /// What stands there is no changeset; says why, for people.
    #[error("it is malformed: {0}")]
    Malformed(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} cannot be indexed: {}; what follows in its stream has to wait",
            self.key, self.reason
        )
    }
}

/// A block in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// What has to be read before the block is complete.
    pub(super) reads: Vec<ChangesetKey>,
    /// The members so far; complete if there is nothing to read.
    pub(super) members: Vec<ChangesetKey>,
    /// Streams whose candidates all have positions.
    pub(super) settled: Vec<StreamId>,
    /// What keeps a stream from going on.
    pub(super) refused: Vec<Refused>,
}

impl Draft {
    /// Plans a block of what the lanes know, the first lane first.
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

/// What is left of a block's limit.
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
