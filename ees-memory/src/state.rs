//! The state of the store: it decides commits and answers reads.

use std::collections::HashMap;

use ees_core::adapter::group_commit::{Judge, Snapshot};
use ees_core::adapter::{
    ClientKey, Commit, CommitSet, ImportOutcome, PageBuilder, SetOutcome, StoredLogHead, TileId,
    check_import,
};
use ees_core::{
    Changeset, ChangesetId, Checkpoint, Direction, GlobalPage, Head, Identity, Page, PageLimit,
    Statistics, StorageError, StreamId, StreamQuery, StreamRange,
};

use crate::stored_consumers::Consumers;

#[derive(Debug, Default)]
pub(crate) struct State {
    /// All changesets. The index is the checkpoint; a void position has none.
    order: Vec<Option<Changeset>>,
    /// The changesets of each stream, as indexes of the log.
    streams: HashMap<StreamId, Vec<usize>>,
    /// The changesets that have a client's key.
    keys: HashMap<ClientKey, ChangesetId>,
    pub(crate) statistics: Statistics,
    pub(crate) checkpoints: HashMap<String, Checkpoint>,
    pub(crate) consumers: Consumers,
    pub(crate) identity: Option<Identity>,
    pub(crate) log_head: Option<StoredLogHead>,
    pub(crate) tiles: HashMap<TileId, Vec<u8>>,
    /// Where the store has moved: it has a fence then.
    pub(crate) moved_to: Option<String>,
}

impl State {
    pub(crate) fn commit(&mut self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        if let Some(moved_to) = self.moved_to.clone() {
            return Err(StorageError::Fenced { moved_to });
        }
        let mut judge = Judge::new(self.snapshot(set));
        let outcome = judge.judge(set);
        for changeset in judge.changesets {
            self.append(changeset);
        }
        Ok(outcome)
    }

    fn append(&mut self, changeset: Changeset) {
        let places = self.streams.entry(changeset.stream_id.clone()).or_default();
        places.push(self.order.len());
        let key = ClientKey::of(&changeset.stream_id, &changeset.commit_id);
        if let Some(key) = key {
            self.keys.entry(key).or_insert(changeset.changeset_id);
        }
        self.order.push(Some(changeset));
    }

    pub(crate) fn import(&mut self, from: Checkpoint, page: &GlobalPage) -> ImportOutcome {
        let end = self.next_checkpoint();
        if from != end {
            return ImportOutcome::EndsAt(end);
        }
        let streams = page.changesets.iter().map(|changeset| &changeset.stream_id);
        let heads = streams.filter_map(|stream| Some((stream.clone(), self.head(stream)?)));
        if let Err(refusal) = check_import(heads, &page.changesets) {
            return ImportOutcome::Refused(refusal);
        }
        for changeset in &page.changesets {
            while changeset.checkpoint > Some(self.next_checkpoint()) {
                self.order.push(None);
            }
            self.append(changeset.clone());
        }
        ImportOutcome::Imported
    }

    /// What the judge needs to know for a set.
    fn snapshot(&self, set: &CommitSet) -> Snapshot {
        let committed = set.commits.iter().map(|commit| &commit.stream_id);
        let streams = committed.chain(set.checks.iter().map(|check| &check.stream_id));
        let heads = streams.filter_map(|stream| Some((stream.clone(), self.head(stream)?)));
        let keys = set.commits.iter().filter_map(Commit::client_key);
        let keys = keys.filter_map(|key| {
            let stands = *self.keys.get(&key)?;
            Some((key, stands))
        });
        Snapshot {
            heads: heads.collect(),
            keys: keys.collect(),
            next_checkpoint: self.next_checkpoint(),
        }
    }

    pub(crate) fn next_checkpoint(&self) -> Checkpoint {
        Checkpoint::FIRST.plus(self.order.len() as u64)
    }

    pub(crate) fn head(&self, stream_id: &StreamId) -> Option<Head> {
        let place = *self.streams.get(stream_id)?.last()?;
        self.at(place).map(Changeset::head)
    }

    fn at(&self, place: usize) -> Option<&Changeset> {
        self.order.get(place)?.as_ref()
    }

    pub(crate) fn read_stream(&self, query: &StreamQuery) -> Page<Changeset> {
        let places = self
            .streams
            .get(&query.stream_id)
            .map_or(&[][..], |all| all);
        // Changeset ids and event ids ascend, so a range selects adjacent changesets.
        let first = |test: &dyn Fn(&Changeset) -> bool| {
            places.partition_point(|place| self.at(*place).is_some_and(|c| !test(c)))
        };
        let (start, end) = match &query.range {
            StreamRange::Changesets(ids) => (
                first(&|c| c.changeset_id.get() >= *ids.start()),
                first(&|c| c.changeset_id.get() > *ids.end()),
            ),
            StreamRange::Events(ids) => (
                first(&|c| c.last_event_id.get() >= *ids.start()),
                first(&|c| c.first_event_id.get() > *ids.end()),
            ),
        };
        let selected = places.get(start..end).unwrap_or_default().iter();
        let changesets = selected.filter_map(|place| self.at(*place));
        match query.direction {
            Direction::Forward => fill(query.limit, changesets),
            Direction::Backward => fill(query.limit, changesets.rev()),
        }
    }

    pub(crate) fn read_global(&self, from: Checkpoint, limit: PageLimit) -> GlobalPage {
        let place = usize::try_from(from.get()).unwrap_or(usize::MAX);
        let rest = self.order.get(place..).unwrap_or_default();
        let changesets = fill(limit, rest.iter().flatten()).items;
        let last = changesets.last().and_then(|last| last.checkpoint);
        let next = last.map_or(from, |last| last.plus(1));
        GlobalPage { changesets, next }
    }
}

fn fill<'a>(limit: PageLimit, changesets: impl Iterator<Item = &'a Changeset>) -> Page<Changeset> {
    let mut page = PageBuilder::new(limit);
    for changeset in changesets {
        if !page.push_changeset(changeset.clone()) {
            break;
        }
    }
    page.finish()
}
