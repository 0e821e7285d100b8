//! The store's side of the model: the global order, the partitions, and what was handled.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ees_core::adapter::trusted_events;
use ees_core::consumer::{
    Ack, AckRefusal, Acked, BatchKind, ConsumerDefinition, Found, PartitionState, Share, Work,
    look_again_in, look_in, partition_of,
};
use ees_core::{
    Changeset, ChangesetId, Checkpoint, CommitId, EventId, Json, PageLimit, StreamId, Timestamp,
};
use serde_json::{Value, json};

use super::Lie;
use super::model::Setting;

/// The names of the streams; the first two share a partition.
pub(super) fn stream(name: &str) -> StreamId {
    let mut tried = (0..).map(|n| StreamId::new(&format!("{name}{n}")).unwrap());
    let partition = u16::from(name == "c");
    tried.find(|s| partition_of(s, 2) == partition).unwrap()
}

pub(super) fn definition() -> ConsumerDefinition {
    ConsumerDefinition {
        partitions: 2,
        retry_seconds: vec![1, 1],
        ..ConsumerDefinition::default()
    }
}

/// The clock stands still, and leases end when the model says so.
pub(super) fn now() -> Timestamp {
    Timestamp::from_micros(0).unwrap()
}

/// When every parked stream is due.
pub(super) fn later() -> Timestamp {
    Timestamp::from_micros(3_600_000_000).unwrap()
}

/// The global order, which is the same in all states of a model.
#[derive(Debug, Clone)]
pub(super) struct Order(Arc<[Changeset]>);

impl PartialEq for Order {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Order {}

impl Hash for Order {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Order {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What the store holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) order: Order,
    /// How much of the order is committed.
    pub(super) committed: usize,
    pub(super) partitions: Vec<PartitionState>,
    /// The copy of a partition in which a retry is out beside the live batch.
    beside: BTreeMap<usize, PartitionState>,
    /// The last changeset of each stream that a worker has handled, or an operator skipped.
    pub(super) handled: BTreeMap<StreamId, u64>,
}

/// What a worker gets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Given {
    pub(super) partition: usize,
    pub(super) generation: u64,
    pub(super) found: Vec<(StreamId, ChangesetId, Checkpoint)>,
    pub(super) next: Checkpoint,
    pub(super) is_retry: bool,
}

impl World {
    pub(super) fn new(order: &[(&str, u64)], later: usize) -> Self {
        let order = Order((0..).zip(order).map(changeset).collect());
        Self {
            committed: order.len() - later,
            order,
            partitions: vec![PartitionState::new(Checkpoint::FIRST); 2],
            beside: BTreeMap::new(),
            handled: BTreeMap::new(),
        }
    }

    pub(super) fn committed(&self) -> &[Changeset] {
        &self.order.0[..self.committed]
    }

    fn share(partition: usize) -> Share {
        Share::new(&definition(), u16::try_from(partition).unwrap())
    }

    /// Claims a partition, as the use case does.
    pub(super) fn claim(
        &mut self,
        partition: usize,
        after: Option<u64>,
        time: Timestamp,
        setting: &Setting,
    ) -> Option<Given> {
        let lie = setting.lie;
        let share = Self::share(partition);
        let mut state = self.partitions[partition].clone();
        for work in state.work(time) {
            if lie == Lie::PassedByForEver && work != Work::Live {
                continue;
            }
            let limit = PageLimit::items(setting.limit);
            let mut found = look_in(&state, &share, &work, self.committed(), limit);
            if let BatchKind::Retry { reached_end, .. } = &mut found.kind {
                *reached_end |= lie == Lie::LiveTooEarly;
            }
            let taken = state.take(&found, "w", after, now());
            self.partitions[partition] = state.clone();
            if let Some(generation) = taken {
                return Some(given(partition, generation, found));
            }
        }
        None
    }

    /// Hands out a retry beside the batch that is out.
    pub(super) fn claim_beside(&mut self, partition: usize, limit: usize) -> Option<Given> {
        let share = Self::share(partition);
        let mut state = self.partitions[partition].clone();
        state.batch()?;
        let mut work = state.work(later()).into_iter();
        let retry = work.find(|work| *work != Work::Live)?;
        let limit = PageLimit::items(limit);
        let found = look_in(&state, &share, &retry, self.committed(), limit);
        let generation = state.take(&found, "w", None, now())?;
        self.beside.insert(partition, state);
        Some(given(partition, generation, found))
    }

    pub(super) fn acknowledge(
        &mut self,
        partition: usize,
        ack: &Ack,
        lie: Lie,
    ) -> Result<Acked, AckRefusal> {
        if let Some(beside) = self.beside.get(&partition)
            && beside.generation() == ack.generation
        {
            return self.acknowledge_beside(partition, ack);
        }
        let mut ack = ack.clone();
        let mut state = self.partitions[partition].clone();
        if lie == Lie::NoFence {
            ack.generation = state.generation();
        }
        if lie == Lie::BeyondTheBatch && state.batch().is_some() {
            let end = self.committed().len();
            state = edited(&state, |document| document["batch"]["next"] = json!(end));
        }
        let members = look_again_in(&state, &Self::share(partition), self.committed());
        let acked = state.ack(&ack, &members.changesets, &definition(), now())?;
        self.partitions[partition] = state;
        Ok(acked)
    }

    /// The acknowledgement of a retry changes the parked streams only.
    fn acknowledge_beside(&mut self, partition: usize, ack: &Ack) -> Result<Acked, AckRefusal> {
        let mut beside = self.beside.remove(&partition).unwrap();
        let members = look_again_in(&beside, &Self::share(partition), self.committed());
        let acked = beside.ack(ack, &members.changesets, &definition(), now())?;
        let slots = json!(beside.slots());
        let state = edited(&self.partitions[partition], |document| {
            document["slots"] = slots;
        });
        self.partitions[partition] = state.with_parked(beside.parked().cloned());
        Ok(acked)
    }

    /// The batch that is out, as it is given again.
    pub(super) fn again(&self, partition: usize) -> Option<Given> {
        let state = &self.partitions[partition];
        let generation = state.batch()?.generation;
        let found = look_again_in(state, &Self::share(partition), self.committed());
        Some(given(partition, generation, found))
    }

    /// Every changeset that was passed is handled, or is to be tried again.
    pub(super) fn skips_nothing(&self) -> bool {
        self.committed().iter().all(|changeset| {
            let state = &self.partitions[usize::from(partition_of(&changeset.stream_id, 2))];
            let parked = state.parked_entry(&changeset.stream_id);
            changeset.checkpoint >= Some(state.checkpoint())
                || self.is_handled(changeset)
                || parked.is_some_and(|p| p.from_changeset <= changeset.changeset_id)
        })
    }

    /// Every changeset is handled, or waits for an operator.
    pub(super) fn is_complete(&self) -> bool {
        self.committed().iter().all(|changeset| {
            let state = &self.partitions[usize::from(partition_of(&changeset.stream_id, 2))];
            let parked = state.parked_entry(&changeset.stream_id);
            self.is_handled(changeset) || parked.is_some_and(|p| p.next_try.is_none())
        })
    }

    fn is_handled(&self, changeset: &Changeset) -> bool {
        let handled = self.handled.get(&changeset.stream_id);
        handled.is_some_and(|last| *last >= changeset.changeset_id.get())
    }
}

fn given(partition: usize, generation: u64, found: Found) -> Given {
    let changesets = found.changesets.into_iter();
    Given {
        partition,
        generation,
        found: changesets
            .map(|c| (c.stream_id, c.changeset_id, c.checkpoint.unwrap()))
            .collect(),
        next: found.next,
        is_retry: found.kind != BatchKind::Live,
    }
}

/// The state after a change of its document that no transition makes.
fn edited(state: &PartitionState, edit: impl FnOnce(&mut Value)) -> PartitionState {
    let mut document = serde_json::to_value(state).unwrap();
    edit(&mut document);
    let edited: PartitionState = serde_json::from_value(document).unwrap();
    edited.with_parked(state.parked().cloned())
}

fn changeset((position, (name, id)): (u64, &(&str, u64))) -> Changeset {
    Changeset {
        stream_id: stream(name),
        changeset_id: ChangesetId::new(*id).unwrap(),
        first_event_id: EventId::new(*id).unwrap(),
        last_event_id: EventId::new(*id).unwrap(),
        timestamp: now(),
        commit_id: CommitId::new("c").unwrap(),
        set: None,
        events: trusted_events("[1]", 1),
        metadata: Json::default(),
        checkpoint: Some(Checkpoint::new(position).unwrap()),
    }
}
