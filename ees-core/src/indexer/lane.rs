//! The search for a stream's first changeset without a position.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::ports::{ChangesetKey, Entry};
use crate::{ChangesetId, StreamId};

/// A stream that has candidates: its known entries, and the keys to read next.
///
/// A stream gets its positions in order, so its changesets with a position come before those
/// without one. The target of a lane is therefore its highest candidate. The lane searches the
/// border between the two groups: first around the lowest candidate, where it nearly always is;
/// then further back in steps that double; then by halving. So a backlog of any length costs few
/// reads and no memory. The search relies on the order of earlier positions; their uniqueness does
/// not depend on it, since each changeset is read, and found without a position, before it is
/// reserved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    stream_id: StreamId,
    /// All changesets up to this one have a position; 0 if none is known to have one.
    indexed: u64,
    /// The estimated border.
    hint: u64,
    /// The highest candidate.
    target: u64,
    /// The entries read since the last intent was complete.
    seen: BTreeMap<u64, Entry>,
}

/// The next action of a lane.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// None: every candidate has a position.
    Settled,
    /// None: the next changeset cannot have a position, because of this entry.
    Stuck(ChangesetKey, Entry),
    /// To read these keys, and then to assign about this number of positions.
    Read(Vec<u64>, usize),
    /// To assign positions to these.
    Take(RangeInclusive<u64>),
}

impl Lane {
    /// A lane with its first candidate.
    pub(super) fn new(candidate: &ChangesetKey) -> Self {
        let id = candidate.changeset_id.get();
        Self {
            stream_id: candidate.stream_id.clone(),
            indexed: 0,
            hint: id,
            target: id,
            seen: BTreeMap::new(),
        }
    }

    /// Adds a candidate, new or repeated.
    pub(super) fn want(&mut self, id: ChangesetId) {
        self.hint = self.hint.min(id.get());
        self.target = self.target.max(id.get());
    }

    /// Takes in an entry that was read.
    pub(super) fn learn(&mut self, id: ChangesetId, entry: Entry) {
        self.seen.insert(id.get(), entry);
    }

    /// Takes in that a changeset of the last intent has its position: the border is after it.
    pub(super) fn advance(&mut self, id: ChangesetId) {
        if id.get() > self.indexed {
            self.indexed = id.get();
            self.hint = id.get() + 1;
            self.seen.clear();
        }
    }

    /// Drops entries that may have changed since they were read. A position never changes.
    pub(super) fn forget(&mut self) {
        let (low, high) = self.border();
        if high.is_none_or(|high| high == low + 1) && !self.seen.is_empty() {
            self.hint = low + 1;
        }
        self.indexed = low;
        self.seen.clear();
    }

    /// The next action, with room for `room` members (at least 1).
    pub(super) fn plan(&self, room: usize) -> Plan {
        let reach = (room as u64).saturating_sub(1);
        match self.border() {
            (low, None) if low >= self.target => Plan::Settled,
            (low, None) => self.first_reads(low, reach),
            (low, Some(high)) if high > low + 1 => Plan::Read(vec![self.probe(low, high)], 1),
            (_, Some(high)) => self.run(high, reach),
        }
    }

    /// The stream.
    pub(super) fn stream_id(&self) -> &StreamId {
        &self.stream_id
    }

    /// The key of a changeset of the stream.
    pub(super) fn key(&self, id: u64) -> Option<ChangesetKey> {
        Some(ChangesetKey {
            stream_id: self.stream_id.clone(),
            changeset_id: ChangesetId::new(id).ok()?,
        })
    }

    /// The last changeset known to have a position, and the first known to have none.
    fn border(&self) -> (u64, Option<u64>) {
        let has_none = |entry: &Entry| !matches!(entry, Entry::At(_));
        let high = self.seen.iter().find(|(_, entry)| has_none(entry));
        let high = high.map(|(id, _)| *id);
        let below = self.seen.range(..high.unwrap_or(u64::MAX)).next_back();
        let low = below.map_or(0, |(id, _)| *id).max(self.indexed);
        (low, high)
    }

    /// The candidates and the one before them.
    fn first_reads(&self, low: u64, reach: u64) -> Plan {
        let first = self.hint.max(low + 1);
        let last = self.target.min(first.saturating_add(reach));
        let before = first.saturating_sub(1).max(low + 1);
        read((before..=last).collect(), first, last)
    }

    /// A point between: each step back is twice as long, but at most half the distance.
    fn probe(&self, low: u64, high: u64) -> u64 {
        let back = self.hint.saturating_sub(high) + 1;
        high.saturating_sub(back).max(low.midpoint(high))
    }

    /// The changesets from the border on, up to the first that cannot have a position.
    fn run(&self, first: u64, reach: u64) -> Plan {
        let mut last = self.target.min(first.saturating_add(reach));
        let mut seen = self.seen.range(first..=last);
        if let Some((id, entry)) = seen.find(|(_, entry)| **entry != Entry::Unindexed) {
            match self.key(*id) {
                Some(key) if *id == first => return Plan::Stuck(key, entry.clone()),
                _ => last = id.saturating_sub(1),
            }
        }
        let unseen = |id: &u64| !self.seen.contains_key(id);
        let unseen: Vec<u64> = (first..=last).filter(unseen).collect();
        if unseen.is_empty() {
            return Plan::Take(first..=last);
        }
        read(unseen, first, last)
    }
}

fn read(ids: Vec<u64>, first: u64, last: u64) -> Plan {
    let members = last.saturating_sub(first).saturating_add(1);
    Plan::Read(ids, usize::try_from(members).unwrap_or(usize::MAX))
}
