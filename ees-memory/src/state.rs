//! The state of the store: it decides commits and answers reads.

use std::collections::HashMap;

use ees_core::adapter::group_commit::{Judge, Snapshot};
use ees_core::adapter::{ClientKey, Commit, CommitSet, PageBuilder, SetOutcome};
use ees_core::{
    Changeset, ChangesetId, Checkpoint, Direction, GlobalPage, Head, Identity, Page, PageLimit,
    Statistics, StreamId, StreamQuery, StreamRange,
};

use crate::stored_consumers::Consumers;

#[derive(Debug, Default)]
pub(crate) struct State {
    /// All changesets. The index is the checkpoint.
    log: Vec<Changeset>,
    /// The changesets of each stream, as indexes of the log.
    streams: HashMap<StreamId, Vec<usize>>,
    /// The changesets that have a client's key.
    keys: HashMap<ClientKey, ChangesetId>,
    pub(crate) statistics: Statistics,
    pub(crate) checkpoints: HashMap<String, Checkpoint>,
    pub(crate) consumers: Consumers,
    pub(crate) identity: Option<Identity>,
}

impl State {
    pub(crate) fn commit(&mut self, set: &CommitSet) -> SetOutcome {
        let mut judge = Judge::new(self.snapshot(set));
        let outcome = judge.judge(set);
        for changeset in judge.changesets {
            let places = self.streams.entry(changeset.stream_id.clone()).or_default();
            places.push(self.log.len());
            let key = ClientKey::of(&changeset.stream_id, &changeset.commit_id);
            self.keys
                .extend(key.map(|key| (key, changeset.changeset_id)));
            self.log.push(changeset);
        }
        outcome
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
        Checkpoint::FIRST.plus(self.log.len() as u64)
    }

    pub(crate) fn head(&self, stream_id: &StreamId) -> Option<Head> {
        let place = *self.streams.get(stream_id)?.last()?;
        self.log.get(place).map(Changeset::head)
    }

    pub(crate) fn read_stream(&self, query: &StreamQuery) -> Page<Changeset> {
        let places = self
            .streams
            .get(&query.stream_id)
            .map_or(&[][..], |all| all);
        // Changeset ids and event ids ascend, so a range selects adjacent changesets.
        let first = |test: &dyn Fn(&Changeset) -> bool| {
            places.partition_point(|place| self.log.get(*place).is_some_and(|c| !test(c)))
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
        let changesets = selected.filter_map(|place| self.log.get(*place));
        match query.direction {
            Direction::Forward => fill(query.limit, changesets),
            Direction::Backward => fill(query.limit, changesets.rev()),
        }
    }

    pub(crate) fn read_global(&self, from: Checkpoint, limit: PageLimit) -> GlobalPage {
        let place = usize::try_from(from.get()).unwrap_or(usize::MAX);
        let rest = self.log.get(place..).unwrap_or_default();
        let changesets = fill(limit, rest.iter()).items;
        let next = from.plus(changesets.len() as u64);
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
