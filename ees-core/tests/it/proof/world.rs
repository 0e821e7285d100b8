//! The storage of the model: a table of changesets, the state, and a record for the checks.

use std::collections::{BTreeMap, BTreeSet};

use ees_core::adapter::{ChangesetKey, Entry, IndexState, PositionWrite, trusted_events};
use ees_core::{Changeset, ChangesetId, Checkpoint, CommitId, EventId, Json, StreamId, Timestamp};

/// Every changeset with its position, if it has one.
pub(super) type Table = BTreeMap<ChangesetKey, Option<Checkpoint>>;

/// The stored data.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct World {
    pub(super) table: Table,
    pub(super) state: IndexState,
    /// The owner of each position, from the moment of its reservation; `None` for a void one. No
    /// worker and no reader sees it.
    pub(super) order: Vec<Option<ChangesetKey>>,
}

/// A suffix that makes a second name of the same stream. Only a breach of the contract uses it.
pub(super) const ALIAS: &str = "*";

pub(super) fn key(stream: &str, changeset: u64) -> ChangesetKey {
    ChangesetKey {
        stream_id: StreamId::new(stream).unwrap(),
        changeset_id: ChangesetId::new(changeset).unwrap(),
    }
}

fn real(key: &ChangesetKey) -> ChangesetKey {
    match key.stream_id.as_str().strip_suffix(ALIAS) {
        Some(name) => self::key(name, key.changeset_id.get()),
        None => key.clone(),
    }
}

fn place(position: Checkpoint) -> usize {
    usize::try_from(position.get()).unwrap()
}

impl World {
    /// Appends to a stream.
    pub(super) fn commit(&mut self, stream: &str) -> ChangesetKey {
        let others = self.table.keys().filter(|k| k.stream_id.as_str() == stream);
        let key = key(stream, others.count() as u64 + 1);
        self.table.insert(key.clone(), None);
        key
    }

    /// A table that another indexer left behind: position 0 is written, 1 is void, and 2 was
    /// reserved but not written.
    pub(super) fn take_over(&mut self, written: &ChangesetKey, reserved: &ChangesetKey) {
        self.table.insert(written.clone(), Some(Checkpoint::FIRST));
        self.state.base = Checkpoint::FIRST.plus(2);
        self.state.intent = vec![reserved.clone()];
        self.order = vec![Some(written.clone()), None, Some(reserved.clone())];
    }

    pub(super) fn look_up(table: &Table, key: &ChangesetKey) -> Entry {
        match table.get(&real(key)) {
            None => Entry::Missing,
            Some(None) => Entry::Unindexed,
            Some(Some(position)) => Entry::At(*position),
        }
    }

    pub(super) fn write(&mut self, key: &ChangesetKey, position: Checkpoint) -> PositionWrite {
        match self.table.get_mut(&real(key)) {
            None => PositionWrite::Missing,
            Some(Some(found)) if *found == position => PositionWrite::AlreadyThere,
            Some(Some(found)) => PositionWrite::Other(*found),
            Some(none) => {
                *none = Some(position);
                PositionWrite::Written
            }
        }
    }

    pub(super) fn swap(&mut self, previous: u64, next: &IndexState) -> bool {
        let won = self.state.rev == previous;
        if won {
            self.order.truncate(place(next.base));
            self.order.extend(next.intent.iter().map(real).map(Some));
            self.state = next.clone();
        }
        won
    }

    pub(super) fn past_void(&self, position: Checkpoint) -> Checkpoint {
        let from = self.order.iter().skip(place(position));
        position.plus(from.take_while(|owner| owner.is_none()).count() as u64)
    }

    pub(super) fn unindexed(&self) -> Vec<ChangesetKey> {
        let none = self.table.iter().filter(|(_, position)| position.is_none());
        none.map(|(key, _)| key.clone()).collect()
    }

    /// The whole index from a position on.
    pub(super) fn index(&self, from: Checkpoint) -> Vec<Changeset> {
        let entries = self.table.iter();
        let entries = entries.filter_map(|(key, position)| Some((key, (*position)?)));
        let mut entries: Vec<_> = entries.filter(|(_, position)| *position >= from).collect();
        entries.sort_by_key(|(_, position)| *position);
        let changesets = entries.into_iter();
        changesets
            .map(|(key, position)| changeset(key, Some(position)))
            .collect()
    }

    pub(super) fn fetch(&self, keys: &[ChangesetKey]) -> Vec<Option<Changeset>> {
        let found = keys.iter().map(|key| Some((key, *self.table.get(key)?)));
        found
            .map(|found| found.map(|(key, position)| changeset(key, position)))
            .collect()
    }

    /// Whether a page matches the order from a position on.
    pub(super) fn shows(&self, page: &ees_core::GlobalPage, from: Checkpoint) -> bool {
        let owners = (0..).zip(&self.order);
        let wanted = owners
            .skip(place(from))
            .take(place(page.next) - place(from))
            .filter_map(|(position, owner)| Some((owner.clone()?, Checkpoint::new(position).ok())));
        let found = page.changesets.iter();
        let found = found.map(|c| {
            (
                key(c.stream_id.as_str(), c.changeset_id.get()),
                c.checkpoint,
            )
        });
        page.next <= self.state.next() && wanted.eq(found)
    }

    /// G6: every position has one owner, no changeset owns two, and the stored positions agree.
    pub(super) fn is_dense_and_unique(&self) -> bool {
        let owners: Vec<_> = self.order.iter().flatten().collect();
        let distinct: BTreeSet<_> = owners.iter().collect();
        let agrees = |(key, position): (&ChangesetKey, &Option<Checkpoint>)| {
            position.is_none_or(|at| self.order.get(place(at)) == Some(&Some(key.clone())))
        };
        distinct.len() == owners.len()
            && self.order.len() == place(self.state.next())
            && self.table.iter().all(agrees)
    }

    /// G7: each stream's changesets own ascending positions, none left out.
    pub(super) fn keeps_stream_order(&self) -> bool {
        let mut last: BTreeMap<&StreamId, u64> = BTreeMap::new();
        self.order.iter().flatten().all(|key| {
            let last = last.entry(&key.stream_id).or_default();
            *last += 1;
            *last == key.changeset_id.get()
        })
    }

    /// The algorithm's invariant: every position reserved before the last intent is written.
    pub(super) fn is_complete_below_the_intent(&self) -> bool {
        let mut below = self.order.iter().take(place(self.state.base)).flatten();
        below.all(|key| self.table.get(key).is_some_and(Option::is_some))
    }

    pub(super) fn is_all_indexed(&self) -> bool {
        self.table.values().all(Option::is_some)
    }
}

fn changeset(key: &ChangesetKey, checkpoint: Option<Checkpoint>) -> Changeset {
    Changeset {
        stream_id: key.stream_id.clone(),
        changeset_id: key.changeset_id,
        first_event_id: EventId::FIRST,
        last_event_id: EventId::FIRST,
        timestamp: Timestamp::from_micros(0).unwrap(),
        commit_id: CommitId::new("c").unwrap(),
        set: None,
        events: trusted_events("[1]", 1),
        metadata: Json::default(),
        checkpoint,
    }
}
