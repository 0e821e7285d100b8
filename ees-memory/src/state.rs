//! The state of the store: it decides commits and answers reads.

use std::collections::HashMap;

use ees_core::adapter::{ClientKey, Commit, Outcome, PageBuilder, Refusal, Verdict};
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
    pub(crate) fn commit(&mut self, commit: &Commit) -> Outcome {
        let key = commit.client_key();
        if let Some(stands) = key.as_ref().and_then(|key| self.keys.get(key)) {
            return Outcome::Refused(Refusal::KeyStands(*stands));
        }
        let head = self.head(&commit.stream_id);
        let verdict = commit
            .expectation
            .judge(head.as_ref(), commit.events.count());
        match verdict {
            Verdict::Refuse(refusal) => Outcome::Refused(refusal),
            Verdict::Append(slot) => {
                let changeset = commit
                    .clone()
                    .into_changeset(slot, Some(self.next_checkpoint()));
                let receipt = changeset.receipt();
                let places = self.streams.entry(commit.stream_id.clone()).or_default();
                places.push(self.log.len());
                self.keys.extend(key.map(|key| (key, receipt.changeset_id)));
                self.log.push(changeset);
                Outcome::Committed(receipt)
            }
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
