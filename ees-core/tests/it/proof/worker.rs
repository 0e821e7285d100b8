//! The workers of the model, around the indexer's step function.

use std::hash::{DefaultHasher, Hash, Hasher};

use ees_core::adapter::{ChangesetKey, Entry, PositionWrite};
use ees_core::indexer::{Answer, BlockLimit, Corruption, Indexing, Request};

use super::Lie;
use super::world::{Table, World};

/// A worker: one indexer, in one process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    /// The state that it keeps between runs.
    complete: Option<u64>,
    run: Option<Run>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Run {
    indexing: Indexing,
    given: Vec<ChangesetKey>,
    open: Vec<Open>,
    /// Whether it is looking up the last intent.
    checks: bool,
    /// The outdated world in which a breach of the contract looks up candidates.
    snapshot: Option<Table>,
}

/// A request that was sent, with the keys that were read of it so far.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Open {
    request: Request,
    found: Vec<Option<Entry>>,
}

/// What a step of a worker ended.
pub(super) enum Ended {
    /// Nothing: the run continues.
    Not,
    /// The run, with these candidates.
    Run(Vec<ChangesetKey>),
    /// Everything: it reports corruption.
    Corrupt(String),
}

impl Worker {
    pub(super) fn new() -> Self {
        Self {
            complete: None,
            run: None,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.run.is_none()
    }

    /// Begins a run. The candidates are given twice, the first time in reverse order.
    pub(super) fn begin(
        &mut self,
        given: Vec<ChangesetKey>,
        limit: BlockLimit,
        world: &World,
        lie: Lie,
    ) {
        let candidates = given.iter().rev().chain(&given).cloned();
        let (indexing, requests) = Indexing::begin(candidates, self.complete, limit);
        self.run = Some(Run {
            indexing,
            given,
            open: requests.into_iter().map(Open::new).collect(),
            checks: false,
            snapshot: (lie == Lie::ReadsBeforeCompletion).then(|| world.table.clone()),
        });
    }

    /// The requests that it waits for, with an index into each request that has several keys.
    pub(super) fn waits_for(&self) -> impl Iterator<Item = (usize, usize)> {
        let open = self.run.iter().flat_map(|run| run.open.iter().enumerate());
        open.flat_map(|(at, open)| {
            let unread = open.found.iter().enumerate().filter(|(_, e)| e.is_none());
            let whole = open.found.is_empty().then_some(0);
            unread
                .map(|(part, _)| part)
                .chain(whole)
                .map(move |part| (at, part))
        })
    }

    /// The storage performs the worker's request, and the worker takes in the answer at once. A
    /// later answer would add no behaviour, because the worker's next request may be performed at
    /// any time.
    pub(super) fn perform(
        &mut self,
        (at, part): (usize, usize),
        world: &mut World,
        wire: &mut Vec<Request>,
        lie: Lie,
    ) -> Ended {
        let Some(run) = &mut self.run else {
            return Ended::Not;
        };
        let Some(answer) = run.execute(at, part, world, wire, lie) else {
            return Ended::Not;
        };
        run.open.remove(at);
        run.checks = match &answer {
            Answer::Loaded(state) => {
                !state.intent.is_empty() && run.indexing.complete() != Some(state.rev)
            }
            _ => false,
        };
        let rev_is_known = matches!(answer, Answer::Loaded(_) | Answer::Swapped(true));
        if lie == Lie::ReadsBesideRepair && rev_is_known {
            run.snapshot = Some(world.table.clone());
        }
        if let Err(corruption) = run.take_in(answer) {
            return Ended::Corrupt(corruption.to_string());
        }
        if !run.open.is_empty() {
            return Ended::Not;
        }
        assert!(
            run.indexing.is_done(),
            "it waits for nothing, but is not done"
        );
        self.complete = run.indexing.complete();
        Ended::Run(self.run.take().unwrap().given)
    }

    /// Ends its run early. Its open requests may still take effect. After a failed run it keeps its
    /// memory; after a crash of the process it loses it.
    pub(super) fn stop(&mut self, forgets: bool) -> (Vec<ChangesetKey>, Vec<Request>) {
        let run = self.run.take().unwrap();
        self.complete = run.indexing.complete().filter(|_| !forgets);
        let asked = run.open.into_iter().map(|open| open.request);
        let changes = |request: &Request| !matches!(request, Request::Load | Request::LookUp(_));
        (run.given, asked.filter(changes).collect())
    }
}

impl Open {
    fn new(request: Request) -> Self {
        let keys = match &request {
            Request::LookUp(keys) => keys.len(),
            _ => 0,
        };
        Self {
            request,
            found: vec![None; keys],
        }
    }
}

impl Run {
    fn take_in(&mut self, answer: Answer) -> Result<(), Corruption> {
        let mut requests = self.indexing.answer(answer)?;
        if requests == [Request::Pause] {
            requests = self.indexing.answer(Answer::Paused)?;
        }
        self.open.extend(requests.into_iter().map(Open::new));
        self.open
            .sort_by_cached_key(|open| format!("{:?}", open.request));
        Ok(())
    }

    fn execute(
        &mut self,
        at: usize,
        part: usize,
        world: &mut World,
        wire: &mut Vec<Request>,
        lie: Lie,
    ) -> Option<Answer> {
        let Open { request, found } = &mut self.open[at];
        Some(match request {
            Request::LookUp(keys) => {
                let stale = self.snapshot.as_ref().filter(|_| !self.checks);
                let table = stale.unwrap_or(&world.table);
                found[part] = Some(World::look_up(table, &keys[part]));
                let all: Option<Vec<Entry>> = found.iter().cloned().collect();
                Answer::LookedUp(keys.iter().cloned().zip(all?).collect())
            }
            Request::Write { key, .. } if lie == Lie::EarlyAcknowledgement => {
                let key = key.clone();
                wire.push(request.clone());
                Answer::Written(key, PositionWrite::Written)
            }
            Request::Swap { next, .. } if lie == Lie::BlindSwap => {
                Answer::Swapped(world.swap(world.state.rev, next))
            }
            request => perform(request, world),
        })
    }
}

/// A sort key for values without an order. Equal states must stay equal, however they were reached.
pub(super) fn fingerprint(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}

/// Performs a request.
pub(super) fn perform(request: &Request, world: &mut World) -> Answer {
    match request {
        Request::Load => Answer::Loaded(world.state.clone()),
        Request::LookUp(keys) => {
            let found = keys.iter();
            let found = found.map(|key| (key.clone(), World::look_up(&world.table, key)));
            Answer::LookedUp(found.collect())
        }
        Request::Write { key, position } => {
            Answer::Written(key.clone(), world.write(key, *position))
        }
        Request::Swap { previous, next } => Answer::Swapped(world.swap(*previous, next)),
        Request::Pause => Answer::Paused,
    }
}

/// Lets an undisturbed worker index all changesets. Returns `false` if it cannot.
pub(super) fn finish_alone(world: &mut World, limit: BlockLimit) -> bool {
    let (mut run, mut requests) = Indexing::begin(world.unindexed(), None, limit);
    for _ in 0..1000 {
        let Some(request) = requests.pop() else {
            return run.is_done() && world.is_all_indexed();
        };
        match run.answer(perform(&request, world)) {
            Ok(more) => requests.extend(more),
            Err(_) => return false,
        }
    }
    false
}
