//! The read position in a stream whose shards split. This module does no I/O.

use std::collections::{BTreeMap, BTreeSet};

/// The read position in a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ShardPosition {
    /// Before its oldest record.
    Start,
    /// After the record with this sequence number.
    After(String),
    /// After its last record. Its children are not known yet.
    End,
}

/// A shard in a listing of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) id: String,
    pub(super) parent: Option<String>,
}

/// The shards that are being read. Their ancestors were read to the end, and their descendants were
/// not begun. The frontier therefore contains no more shards than the open ones and those that
/// closed since.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Frontier(BTreeMap<String, ShardPosition>);

impl Frontier {
    pub(super) fn new(positions: impl IntoIterator<Item = (String, ShardPosition)>) -> Self {
        Self(positions.into_iter().collect())
    }

    pub(super) fn positions(&self) -> impl Iterator<Item = (&str, &ShardPosition)> {
        self.0
            .iter()
            .map(|(shard, position)| (shard.as_str(), position))
    }

    /// The shards that have not been read to the end.
    pub(super) fn open(&self) -> impl Iterator<Item = &str> {
        let open = self
            .positions()
            .filter(|(_, position)| **position != ShardPosition::End);
        open.map(|(shard, _)| shard)
    }

    /// Whether the frontier has shards and none of them waits for its children.
    pub(super) fn is_open(&self) -> bool {
        !self.0.is_empty()
            && self
                .0
                .values()
                .all(|position| *position != ShardPosition::End)
    }

    pub(super) fn position(&self, shard: &str) -> Option<&ShardPosition> {
        self.0.get(shard)
    }

    /// Records the read position of a shard of the frontier.
    pub(super) fn reach(&mut self, shard: &str, position: ShardPosition) {
        if let Some(current) = self.0.get_mut(shard) {
            *current = position;
        }
    }

    /// Updates the frontier from a complete listing. Children replace the shards that were read to
    /// the end, and the shards that the stream no longer has. Returns whether the stream lost a
    /// shard that was not read to the end.
    pub(super) fn update(&mut self, listed: &[Shard]) -> bool {
        let ids: BTreeSet<&str> = listed.iter().map(|shard| shard.id.as_str()).collect();
        let forgotten: Vec<String> = self.0.keys().cloned().collect();
        let mut gap = false;
        let mut left = BTreeSet::new();
        for shard in forgotten
            .into_iter()
            .filter(|id| !ids.contains(id.as_str()))
        {
            gap |= self.0.remove(&shard) != Some(ShardPosition::End);
            left.insert(shard);
        }
        let has_child = |id: &str| {
            listed
                .iter()
                .any(|shard| shard.parent.as_deref() == Some(id))
        };
        let ended = self
            .0
            .iter()
            .filter(|(_, position)| **position == ShardPosition::End);
        let ended = ended.filter(|(id, _)| has_child(id));
        let ended: Vec<String> = ended.map(|(id, _)| id.clone()).collect();
        for shard in ended {
            self.0.remove(&shard);
            left.insert(shard);
        }
        self.enter(listed, &left);
        gap
    }

    /// Adds shards to the frontier: the children of shards that left it, and shards that are
    /// related to none of its shards.
    fn enter(&mut self, listed: &[Shard], left: &BTreeSet<String>) {
        let parents: BTreeMap<&str, &str> = listed
            .iter()
            .filter_map(|shard| Some((shard.id.as_str(), shard.parent.as_deref()?)))
            .collect();
        let ids: BTreeSet<&str> = listed.iter().map(|shard| shard.id.as_str()).collect();
        let mut read: BTreeSet<&str> = left.iter().map(String::as_str).collect();
        let mut below: Vec<&str> = self.0.keys().chain(left).map(String::as_str).collect();
        while let Some(id) = below.pop() {
            if let Some(parent) = parents.get(id)
                && read.insert(parent)
            {
                below.push(parent);
            }
        }
        let next: Vec<&Shard> = listed
            .iter()
            .filter(|shard| {
                let parent = shard.parent.as_deref();
                parent.is_none_or(|parent| read.contains(parent) || !ids.contains(parent))
            })
            .filter(|shard| !read.contains(shard.id.as_str()))
            .collect();
        for shard in next {
            self.0
                .entry(shard.id.clone())
                .or_insert(ShardPosition::Start);
        }
    }
}

#[cfg(test)]
mod tests;
