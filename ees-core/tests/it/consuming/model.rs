//! The model: its possible transitions, and its invariants.

use ees_core::consumer::{Ack, AckRefusal, Acked, Failure};
use ees_core::{ChangesetId, Checkpoint, StreamId, Timestamp};
use stateright::{Model, Property};

use super::Lie;
use super::world::{self, Given, World, now};

/// Nothing is passed that was not handled and is not tried again.
pub(super) const NO_SKIP: &str = "no skip";
/// A stream's changesets are handled in its order.
pub(super) const IN_ORDER: &str = "in order";
/// At the end everything is handled, or waits for an operator.
pub(super) const COMPLETE: &str = "complete";
/// Only the batch that is out is acknowledged, and a refused acknowledgement changes nothing.
pub(super) const FENCED: &str = "fenced";

/// The size of the model, and the breach of the rules, if any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// The largest number of changesets of a batch.
    pub(super) limit: usize,
    /// How often a changeset cannot be handled.
    pub(super) failures: u8,
    /// How often a worker crashes, or is overtaken while it sleeps.
    pub(super) crashes: u8,
    /// How often an answer is lost, or an acknowledgement is sent again.
    pub(super) repeats: u8,
    /// How often an operator calls, or a worker releases its batch.
    pub(super) calls: u8,
    /// The changesets, in the global order.
    pub(super) order: &'static [(&'static str, u64)],
    /// How many of them are committed at any time.
    pub(super) later: usize,
    pub(super) lie: Lie,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Message {
    partition: usize,
    generation: u64,
    checkpoint: Checkpoint,
    failed: Option<(StreamId, ChangesetId)>,
    wants_next: bool,
}

impl Message {
    fn ack(&self) -> Ack {
        let failed = self.failed.clone().into_iter();
        Ack {
            generation: self.generation,
            checkpoint: self.checkpoint,
            failed: failed
                .map(|(stream_id, changeset_id)| Failure {
                    stream_id,
                    changeset_id,
                    error: String::new(),
                })
                .collect(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Worker {
    Idle,
    Has(Given),
    Waits(Message),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Moment {
    world: World,
    workers: Vec<Worker>,
    /// The acknowledgements on their way.
    wire: Vec<Message>,
    failures: u8,
    crashes: u8,
    repeats: u8,
    calls: u8,
    broken: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Action {
    Commit,
    /// A worker claims a partition, at this time.
    Claim(usize, usize, Timestamp),
    ClaimBeside(usize, usize),
    /// A worker handles its batch, except this member, and sends its acknowledgement.
    Handle(usize, Option<usize>, bool),
    /// A worker handles the first member only.
    HandleFirst(usize),
    /// An acknowledgement arrives; whether its answer does.
    Land(usize, bool),
    Resend(usize),
    GiveUp(usize),
    Crash(usize),
    Release(usize),
    Retry(usize),
    Skip(usize),
    Reset(usize),
}

/// How a worker handles its batch.
#[derive(Clone, Copy)]
struct Handling {
    /// The member that it cannot handle.
    fails: Option<usize>,
    first_only: bool,
    wants_next: bool,
}

impl Moment {
    /// Whether a worker has this batch, or waits for the answer that holds it.
    fn is_held(&self, partition: usize) -> bool {
        let Some(batch) = self.world.partitions[partition].batch() else {
            return false;
        };
        self.workers.iter().any(|worker| match worker {
            Worker::Idle => false,
            Worker::Has(given) => {
                given.generation == batch.generation && given.partition == partition
            }
            Worker::Waits(message) => {
                let generations = [Some(batch.generation), batch.after];
                message.partition == partition && generations.contains(&Some(message.generation))
            }
        })
    }

    fn is_on_the_wire(&self, message: &Message) -> bool {
        self.wire.contains(message)
    }

    fn handle(&mut self, worker: usize, how: Handling, lie: Lie) {
        let Worker::Has(given) = self.workers[worker].clone() else {
            return;
        };
        let mut failed: Option<(StreamId, ChangesetId)> = None;
        let mut checkpoint = given.next;
        if lie == Lie::BeyondTheBatch {
            checkpoint = Checkpoint::FIRST.plus(self.world.committed as u64);
        }
        for (at, (stream_id, id, position)) in given.found.iter().enumerate() {
            if failed.as_ref().is_some_and(|failed| failed.0 == *stream_id) {
                continue;
            }
            if how.first_only && at > 0 {
                checkpoint = *position;
                break;
            }
            if how.fails == Some(at) {
                failed = Some((stream_id.clone(), *id));
                continue;
            }
            let last = self.world.handled.entry(stream_id.clone()).or_default();
            if id.get() > *last + 1 {
                self.broken = Some(IN_ORDER);
            }
            *last = (*last).max(id.get());
        }
        let message = Message {
            partition: given.partition,
            generation: given.generation,
            checkpoint,
            failed,
            wants_next: how.wants_next,
        };
        self.wire.push(message.clone());
        self.workers[worker] = Worker::Waits(message);
    }

    fn land(&mut self, at: usize, answered: bool, setting: &Setting) {
        let message = self.wire.remove(at);
        let before = self.world.partitions.clone();
        let partition = message.partition;
        let out = before[partition].batch().map(|batch| batch.generation);
        let result = self
            .world
            .acknowledge(partition, &message.ack(), setting.lie);
        if result == Ok(Acked::Now) && out != Some(message.generation) {
            self.broken = Some(FENCED);
        }
        let next = match result {
            Ok(Acked::Now) if message.wants_next => {
                let after = Some(message.generation);
                self.world.claim(partition, after, now(), setting)
            }
            Ok(Acked::Before) if message.wants_next => self.world.again(partition),
            Ok(_) => None,
            Err(refusal) => {
                if self.world.partitions != before {
                    self.broken = Some(FENCED);
                }
                if matches!(refusal, AckRefusal::Invalid(_)) {
                    self.broken = Some(FENCED);
                }
                None
            }
        };
        let mut waits = self.workers.iter_mut();
        let waits = waits.find(|w| matches!(w, Worker::Waits(sent) if *sent == message));
        if let Some(waits) = waits.filter(|_| answered) {
            *waits = next.map_or(Worker::Idle, Worker::Has);
        }
    }

    fn operate(&mut self, action: &Action) {
        match action {
            Action::Retry(partition) => {
                let parked = self.world.partitions[*partition].parked().next().cloned();
                if let Some(parked) = parked {
                    let state = &mut self.world.partitions[*partition];
                    state.retry(&parked.stream_id, now()).unwrap();
                }
            }
            Action::Skip(partition) => {
                let parked = self.world.partitions[*partition].parked().next().cloned();
                let Some(parked) = parked else { return };
                let (stream_id, id) = (&parked.stream_id, parked.from_changeset);
                let mut order = self.world.committed().iter();
                let found = order.find(|c| c.stream_id == *stream_id && c.changeset_id == id);
                let Some(position) = found.and_then(|c| c.checkpoint) else {
                    return;
                };
                let state = &mut self.world.partitions[*partition];
                if state.skip(stream_id, id, position, now()).is_ok() {
                    let last = self.world.handled.entry(stream_id.clone()).or_default();
                    *last = (*last).max(id.get());
                }
            }
            Action::Reset(partition) => {
                self.world.partitions[*partition].reset(Checkpoint::FIRST);
            }
            _ => {}
        }
    }

    /// Workers and messages are interchangeable.
    fn without_names(mut self) -> Self {
        self.workers.sort();
        self.wire.sort();
        self
    }
}

impl Model for Setting {
    type State = Moment;
    type Action = Action;

    fn init_states(&self) -> Vec<Moment> {
        vec![Moment {
            world: World::new(self.order, self.later),
            workers: vec![Worker::Idle; 2],
            wire: Vec::new(),
            failures: self.failures,
            crashes: self.crashes,
            repeats: self.repeats,
            calls: self.calls,
            broken: None,
        }]
    }

    fn actions(&self, now: &Moment, actions: &mut Vec<Action>) {
        if now.broken.is_some() {
            return;
        }
        if now.world.committed < now.world.order.len() {
            actions.push(Action::Commit);
        }
        for (at, worker) in now.workers.iter().enumerate() {
            match worker {
                Worker::Idle => idle(self, now, at, actions),
                Worker::Has(given) => {
                    for next in [true, false] {
                        actions.push(Action::Handle(at, None, next));
                        if now.failures > 0 {
                            let members = 0..given.found.len();
                            actions.extend(members.map(|m| Action::Handle(at, Some(m), next)));
                        }
                    }
                    if given.found.len() > 1 {
                        actions.push(Action::HandleFirst(at));
                    }
                    if now.calls > 0 {
                        actions.push(Action::Release(at));
                    }
                }
                Worker::Waits(message) => {
                    if now.repeats > 0 {
                        actions.push(Action::Resend(at));
                    }
                    if !now.is_on_the_wire(message) {
                        actions.push(Action::GiveUp(at));
                    }
                }
            }
            if now.crashes > 0 && *worker != Worker::Idle {
                actions.push(Action::Crash(at));
            }
        }
        for at in 0..now.wire.len() {
            actions.push(Action::Land(at, true));
            if now.repeats > 0 {
                actions.push(Action::Land(at, false));
            }
        }
        if now.calls > 0 {
            actions.extend([Action::Retry(0), Action::Skip(0), Action::Reset(0)]);
        }
    }

    fn next_state(&self, last: &Moment, action: Action) -> Option<Moment> {
        let mut now = last.clone();
        match &action {
            Action::Commit => now.world.committed += 1,
            Action::Claim(worker, partition, time) => {
                now.crashes -= u8::from(now.is_held(*partition));
                let given = now.world.claim(*partition, None, *time, self);
                now.workers[*worker] = given.map_or(Worker::Idle, Worker::Has);
            }
            Action::ClaimBeside(worker, partition) => {
                let given = now.world.claim_beside(*partition, self.limit);
                now.workers[*worker] = given.map_or(Worker::Idle, Worker::Has);
            }
            Action::Handle(worker, fails, wants_next) => {
                now.failures -= u8::from(fails.is_some());
                let how = Handling {
                    fails: *fails,
                    first_only: false,
                    wants_next: *wants_next,
                };
                now.handle(*worker, how, self.lie);
            }
            Action::HandleFirst(worker) => {
                let how = Handling {
                    fails: None,
                    first_only: true,
                    wants_next: false,
                };
                now.handle(*worker, how, self.lie);
            }
            Action::Land(at, answered) => {
                now.repeats -= u8::from(!answered);
                now.land(*at, *answered, self);
            }
            Action::Resend(worker) => {
                if let Worker::Waits(message) = now.workers[*worker].clone() {
                    now.repeats -= 1;
                    now.wire.push(message);
                }
            }
            Action::GiveUp(worker) => now.workers[*worker] = Worker::Idle,
            Action::Crash(worker) => {
                now.crashes -= 1;
                now.workers[*worker] = Worker::Idle;
            }
            Action::Release(worker) => {
                if let Worker::Has(given) = &now.workers[*worker] {
                    let state = &mut now.world.partitions[given.partition];
                    let _ = state.release(given.generation);
                }
                now.calls -= 1;
                now.workers[*worker] = Worker::Idle;
            }
            Action::Retry(_) | Action::Skip(_) | Action::Reset(_) => {
                now.calls -= 1;
                now.operate(&action);
            }
        }
        Some(now.without_names()).filter(|now| now != last)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NO_SKIP, |_, now: &Moment| now.world.skips_nothing()),
            Property::always(IN_ORDER, |_, now: &Moment| now.broken != Some(IN_ORDER)),
            Property::always(FENCED, |_, now: &Moment| now.broken != Some(FENCED)),
            Property::always(COMPLETE, |setting: &Self, now: &Moment| {
                now.broken.is_some() || now.world.is_complete() || setting.goes_on(now)
            }),
        ]
    }
}

impl Setting {
    /// Whether something can still happen.
    fn goes_on(&self, now: &Moment) -> bool {
        let mut actions = Vec::new();
        self.actions(now, &mut actions);
        let mut next = actions.into_iter();
        next.any(|action| self.next_state(now, action).is_some())
    }
}

/// An idle worker claims what is free, and what nobody holds any more.
fn idle(setting: &Setting, now: &Moment, worker: usize, actions: &mut Vec<Action>) {
    for partition in 0..now.world.partitions.len() {
        if now.crashes > 0 || !now.is_held(partition) {
            actions.push(Action::Claim(worker, partition, world::now()));
            if now.world.partitions[partition].next_try().is_some() {
                actions.push(Action::Claim(worker, partition, world::later()));
            }
        }
        if setting.lie == Lie::RetryBesideLive {
            actions.push(Action::ClaimBeside(worker, partition));
        }
    }
}
