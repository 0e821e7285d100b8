//! The model: its possible transitions, and its invariants.

use std::collections::BTreeMap;

use ees_core::adapter::ChangesetKey;
use ees_core::indexer::{BlockLimit, Request};
use stateright::{Model, Property};

use super::Lie;
use super::reader::Reader;
use super::worker::{Ended, Worker, fingerprint, finish_alone, perform};
use super::world::{World, key};

/// The size of the model, and the breach of the contract, if any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) workers: usize,
    pub(super) readers: usize,
    /// The largest number of crashes of workers and failures of runs.
    pub(super) crashes: u8,
    /// The largest number of lost notifications.
    pub(super) losses: u8,
    /// The number of deliveries of each notification.
    pub(super) copies: u8,
    /// The streams of the changesets that exist at the beginning.
    pub(super) commits: &'static [&'static str],
    /// The streams of the changesets that are committed at any time.
    pub(super) later: &'static [&'static str],
    /// The largest number of members of a block.
    pub(super) block: usize,
    /// How often in a row a worker waits for another one.
    pub(super) waits: u32,
    /// Whether the first two changesets come from another indexer, with a void position.
    pub(super) taken_over: bool,
    pub(super) lie: Lie,
}

/// The whole state of the model at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Moment {
    world: World,
    workers: Vec<Worker>,
    /// The requests of stopped workers, which may still take effect.
    wire: Vec<Request>,
    notifications: BTreeMap<ChangesetKey, u8>,
    readers: Vec<Reader>,
    later: &'static [&'static str],
    crashes: u8,
    losses: u8,
    broken: Option<String>,
}

/// A transition of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Event {
    /// A worker gets these notifications.
    Notify(usize, Vec<ChangesetKey>),
    /// A worker sweeps.
    Sweep(usize),
    /// The storage performs a part of a worker's request.
    Perform(usize, (usize, usize)),
    /// A worker's run fails, or the whole worker crashes and loses its memory. Its notifications
    /// are delivered again.
    Stop(usize, bool),
    /// The storage performs a request of a stopped worker.
    Land(usize),
    /// A notification is lost.
    Lose(ChangesetKey),
    /// A changeset is committed.
    Commit,
    /// A reader makes one step. The index gives it one of several answers.
    Read(usize, usize),
}

impl Setting {
    fn limit(&self) -> BlockLimit {
        BlockLimit {
            members: self.block,
            waits: self.waits,
            ..BlockLimit::default()
        }
    }
}

impl Moment {
    fn notify(&mut self, keys: Vec<ChangesetKey>) {
        for key in keys {
            *self.notifications.entry(key).or_default() += 1;
        }
    }

    fn take(&mut self, key: &ChangesetKey) {
        if let Some(copies) = self.notifications.get_mut(key) {
            *copies -= 1;
            if *copies == 0 {
                self.notifications.remove(key);
            }
        }
    }

    fn nobody_works(&self) -> bool {
        self.workers.iter().all(Worker::is_idle)
    }

    /// Workers are interchangeable: states that differ only in their order are equal.
    fn without_names(mut self) -> Self {
        self.workers.sort_by_cached_key(fingerprint);
        self
    }

    fn performed(&mut self, worker: usize, part: (usize, usize), lie: Lie) {
        let ended = self.workers[worker].perform(part, &mut self.world, &mut self.wire, lie);
        match ended {
            Ended::Not => {}
            Ended::Corrupt(reason) => self.broken = Some(reason),
            Ended::Run(given) => {
                let table = &self.world.table;
                if given.iter().any(|key| table.get(key) == Some(&None)) {
                    self.broken = Some("a run ended before its candidates had positions".into());
                }
            }
        }
    }

    fn stop(&mut self, worker: usize, forgets: bool) {
        let (given, asked) = self.workers[worker].stop(forgets);
        self.notify(given);
        self.wire.extend(asked);
        self.wire
            .sort_by_cached_key(|request| format!("{request:?}"));
        self.crashes -= 1;
    }
}

impl Model for Setting {
    type State = Moment;
    type Action = Event;

    fn init_states(&self) -> Vec<Moment> {
        let mut world = World::default();
        let keys: Vec<_> = self.commits.iter().map(|s| world.commit(s)).collect();
        if self.taken_over {
            world.take_over(&keys[0], &keys[1]);
        }
        let mut notifications: BTreeMap<_, _> =
            keys.into_iter().map(|key| (key, self.copies)).collect();
        if self.lie == Lie::TwoNames {
            notifications.insert(key("a*", 1), 1);
        }
        vec![Moment {
            world,
            workers: vec![Worker::new(); self.workers],
            wire: Vec::new(),
            notifications,
            readers: vec![Reader::new(); self.readers],
            later: self.later,
            crashes: self.crashes,
            losses: self.losses,
            broken: None,
        }]
    }

    fn actions(&self, now: &Moment, events: &mut Vec<Event>) {
        if now.broken.is_some() {
            return;
        }
        let news: Vec<_> = now.notifications.keys().cloned().collect();
        for (at, worker) in now.workers.iter().enumerate() {
            if !worker.is_idle() {
                events.extend(worker.waits_for().map(|part| Event::Perform(at, part)));
                if now.crashes > 0 {
                    events.extend([false, true].map(|forgets| Event::Stop(at, forgets)));
                }
            } else if news.is_empty() {
                if !now.world.is_all_indexed() {
                    events.push(Event::Sweep(at));
                }
            } else {
                events.extend(batches(&news).map(|batch| Event::Notify(at, batch)));
            }
        }
        events.extend((0..now.wire.len()).map(Event::Land));
        if now.losses > 0 {
            events.extend(news.into_iter().map(Event::Lose));
        }
        if !now.later.is_empty() {
            events.push(Event::Commit);
        }
        for (at, reader) in now.readers.iter().enumerate() {
            events.extend((0..reader.choices(&now.world)).map(|choice| Event::Read(at, choice)));
        }
    }

    fn next_state(&self, last: &Moment, event: Event) -> Option<Moment> {
        let mut now = last.clone();
        match event {
            Event::Notify(worker, batch) => {
                for key in &batch {
                    now.take(key);
                }
                now.workers[worker].begin(batch, self.limit(), &now.world, self.lie);
            }
            Event::Sweep(worker) => {
                now.workers[worker].begin(
                    now.world.unindexed(),
                    self.limit(),
                    &now.world,
                    self.lie,
                );
            }
            Event::Perform(worker, part) => now.performed(worker, part, self.lie),
            Event::Stop(worker, forgets) => now.stop(worker, forgets),
            Event::Land(at) => {
                perform(&now.wire.remove(at), &mut now.world);
            }
            Event::Lose(key) => {
                now.take(&key);
                now.losses -= 1;
            }
            Event::Commit => {
                let (stream, later) = now.later.split_first()?;
                let key = now.world.commit(stream);
                now.notify(vec![key]);
                now.later = later;
            }
            Event::Read(reader, choice) => {
                if !now.readers[reader].step(choice, &now.world, self.lie) {
                    now.broken = Some("a reader was shown a wrong order".into());
                }
            }
        }
        Some(now.without_names())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(DENSE, |_, now: &Moment| now.world.is_dense_and_unique()),
            Property::always(STREAM_ORDER, |_, now: &Moment| {
                now.world.keeps_stream_order()
            }),
            Property::always(INVARIANT, |_, now: &Moment| {
                now.world.is_complete_below_the_intent()
            }),
            Property::always(NOTHING_BROKEN, |_, now: &Moment| now.broken.is_none()),
            Property::always(REPAIRED, |setting: &Self, now: &Moment| {
                let mut world = now.world.clone();
                !now.nobody_works()
                    || finish_alone(&mut world, setting.limit()) && Reader::reads_all(&world)
            }),
            Property::always(READABLE, |setting: &Self, now: &Moment| {
                setting.readers == 0 || Reader::reads_intent(&now.world)
            }),
            Property::sometimes("all is indexed", |_, now: &Moment| {
                now.world.is_all_indexed() && now.nobody_works() && now.later.is_empty()
            }),
        ]
    }
}

/// G6.
pub(super) const DENSE: &str = "G6: positions are dense, and each changeset has one";
/// G7.
pub(super) const STREAM_ORDER: &str = "G7: each stream's order is kept";
/// The invariant that the other properties follow from.
pub(super) const INVARIANT: &str = "no swap before the last intent is complete";
/// No worker reports corruption, no run ends too early, no reader skips or repeats.
pub(super) const NOTHING_BROKEN: &str = "G6, G8: runs end well, readers skip and repeat nothing";
/// Whenever no worker runs, the next one finishes the work alone, and all changesets can be read.
pub(super) const REPAIRED: &str = "G8: the next worker finishes";
/// With any answer of the index, the changesets reserved by the last intent can be read at once.
const READABLE: &str = "G8: what is decided can be read";

/// Each notification alone, all together, and every set of a few.
fn batches(news: &[ChangesetKey]) -> impl Iterator<Item = Vec<ChangesetKey>> {
    let sets = 1..1_usize << news.len();
    let wanted = |set: &usize| {
        news.len() <= 3 || set.is_power_of_two() || set.count_ones() as usize == news.len()
    };
    sets.filter(wanted).map(|set| {
        let members = news
            .iter()
            .enumerate()
            .filter(|(bit, _)| set >> bit & 1 == 1);
        members.map(|(_, key)| key.clone()).collect()
    })
}
