//! The indexer's algorithm, without I/O.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use crate::StreamId;
use crate::ports::{ChangesetKey, Entry, IndexState, PositionWrite};

use super::block::Draft;
use super::lane::Lane;
use super::writes::Writes;
use super::{Answer, BlockLimit, Corruption, Refused, Request};

/// One run of the indexer: assigns a position to each of its candidates.
///
/// 1. It reads the state.
/// 2. It makes sure that the last intent is complete: it has finished that `rev` itself, or reads
///    every member, and writes the positions that are missing. Another worker is probably just
///    writing them, so it first waits, and reads the state again. While the `rev` changes, others are
///    at work, and it waits on, up to a limit.
/// 3. Only then it reads the candidates and walks each stream back to its first changeset without
///    a position.
/// 4. It reserves the next positions for a block of them, by compare-and-swap on the state's `rev`.
///    If another worker won the swap: from 1 again, after a pause.
/// 5. It writes the positions; then from 3 again, until every candidate has one.
///
/// The invariant: a worker swaps only after the previous intent is complete. Every "no position"
/// that it relies on was read after that, and after it read the `rev` that it swaps. So at a swap
/// every position reserved before is written, no worker is still writing, and every entry that was
/// read is still true.
///
/// The requests returned by one call may run at the same time. Each answer is passed in when it
/// arrives. Without unanswered requests it [is done](Indexing::is_done).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Indexing {
    limit: BlockLimit,
    lanes: BTreeMap<StreamId, Lane>,
    /// The lane that came first in the last block: in the next one it is last, so that a long
    /// backlog does not keep the others waiting.
    turn: Option<StreamId>,
    /// A `rev` whose intent is known to be complete.
    complete: Option<u64>,
    refused: Vec<Refused>,
    /// What another worker was seen at.
    seen: Option<Seen>,
    /// How often it may still wait for others.
    waits: u32,
    phase: Phase,
}

/// The intent of another worker, while it was at work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Seen {
    rev: u64,
    /// The members without a position. `None` if they were not read.
    missing: Option<Vec<ChangesetKey>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
enum Phase {
    #[default]
    Done,
    Loading,
    /// Reads this many members of the last intent, which are not known to have positions.
    Checking(IndexState, usize),
    /// Writes positions of the last intent: its own, or those that another worker left unwritten.
    Writing(IndexState, Writes),
    /// Reads candidates. The last intent is complete.
    Searching(IndexState),
    Swapping(IndexState),
    Pausing,
}

impl Indexing {
    /// Begins a run. Returns its first requests too. `complete` is a `rev` whose intent this worker
    /// knows to be complete, from [`Indexing::complete`] after an earlier run.
    pub fn begin(
        candidates: impl IntoIterator<Item = ChangesetKey>,
        complete: Option<u64>,
        limit: BlockLimit,
    ) -> (Self, Vec<Request>) {
        let mut lanes: BTreeMap<StreamId, Lane> = BTreeMap::new();
        for key in candidates {
            let lane = lanes.entry(key.stream_id.clone());
            lane.or_insert_with(|| Lane::new(&key))
                .want(key.changeset_id);
        }
        let mut run = Self {
            limit,
            lanes,
            turn: None,
            complete,
            refused: Vec::new(),
            seen: None,
            waits: limit.waits,
            phase: Phase::Done,
        };
        let requests = if run.lanes.is_empty() {
            Vec::new()
        } else {
            run.load()
        };
        (run, requests)
    }

    /// Whether every candidate has a position, or was refused.
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// A `rev` whose intent is complete, which never changes; `None` if this worker knows of none.
    pub fn complete(&self) -> Option<u64> {
        self.complete
    }

    /// The changesets that cannot have a position: candidates, or earlier ones of their streams.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// Takes in an answer. The returned requests may run at the same time.
    ///
    /// # Errors
    /// [`Corruption`] if the storage holds contradictory data. The run is over then.
    pub fn answer(&mut self, answer: Answer) -> Result<Vec<Request>, Corruption> {
        match (std::mem::take(&mut self.phase), answer) {
            (Phase::Loading, Answer::Loaded(state)) => Ok(self.check(state)),
            (Phase::Checking(state, asked), Answer::LookedUp(found)) if found.len() == asked => {
                self.repair(state, &found)
            }
            (Phase::Writing(state, writes), Answer::Written(key, outcome)) => {
                self.written(state, writes, &key, outcome)
            }
            (Phase::Searching(state), Answer::LookedUp(found)) => {
                for (key, entry) in found {
                    if let Some(lane) = self.lanes.get_mut(&key.stream_id) {
                        lane.learn(key.changeset_id, entry);
                    }
                }
                Ok(self.search(state))
            }
            (Phase::Swapping(next), Answer::Swapped(true)) => {
                self.waits = self.limit.waits;
                self.turn = next.intent.first().map(|key| key.stream_id.clone());
                let members = next.members();
                let writes = members
                    .map(|(key, position)| (key.clone(), position))
                    .collect();
                Ok(self.write(next, writes))
            }
            (Phase::Swapping(next), Answer::Swapped(false)) => {
                let (rev, missing) = (next.rev.saturating_sub(1), None);
                self.seen = Some(Seen { rev, missing });
                Ok(self.pause())
            }
            (Phase::Pausing, Answer::Paused) => Ok(self.load()),
            _ => Err(Corruption::Unasked),
        }
    }

    fn load(&mut self) -> Vec<Request> {
        self.phase = Phase::Loading;
        vec![Request::Load]
    }

    /// The last intent must be complete before anything else is read.
    fn check(&mut self, state: IndexState) -> Vec<Request> {
        if state.intent.is_empty() || self.complete == Some(state.rev) {
            return self.search_anew(state);
        }
        let members = match self.seen.take() {
            Some(Seen { rev, missing }) if rev == state.rev => missing,
            Some(_) if self.waits > 0 => {
                self.waits -= 1;
                let (rev, missing) = (state.rev, None);
                self.seen = Some(Seen { rev, missing });
                return self.pause();
            }
            _ => None,
        };
        let members = members.unwrap_or_else(|| state.intent.clone());
        self.phase = Phase::Checking(state, members.len());
        vec![Request::LookUp(members)]
    }

    fn pause(&mut self) -> Vec<Request> {
        self.phase = Phase::Pausing;
        vec![Request::Pause]
    }

    /// Writes the positions that the reserving worker has not written, unless that one is probably
    /// still at work.
    fn repair(
        &mut self,
        state: IndexState,
        found: &[(ChangesetKey, Entry)],
    ) -> Result<Vec<Request>, Corruption> {
        let places: BTreeMap<_, _> = state.members().collect();
        let mut missing = Vec::new();
        for (key, entry) in found {
            let reserved = *places.get(key).ok_or(Corruption::Unasked)?;
            match entry {
                Entry::At(found) => Corruption::check(key, reserved, Some(*found))?,
                Entry::Unindexed => missing.push((key.clone(), reserved)),
                Entry::Missing | Entry::Malformed(_) => {
                    let key = key.clone();
                    return Err(Corruption::Gone { key, reserved });
                }
            }
        }
        if !missing.is_empty() && self.waits > 0 {
            self.waits -= 1;
            let keys = missing.into_iter().map(|(key, _)| key);
            let (rev, missing) = (state.rev, Some(keys.collect()));
            self.seen = Some(Seen { rev, missing });
            return Ok(self.pause());
        }
        Ok(self.write(state, missing.into_iter().collect()))
    }

    fn write(&mut self, state: IndexState, writes: Writes) -> Vec<Request> {
        if writes.is_done() {
            self.complete = Some(state.rev);
            for key in &state.intent {
                if let Some(lane) = self.lanes.get_mut(&key.stream_id) {
                    lane.advance(key.changeset_id);
                }
            }
            return self.search_anew(state);
        }
        let requests = writes.first();
        self.phase = Phase::Writing(state, writes);
        requests
    }

    fn written(
        &mut self,
        state: IndexState,
        mut writes: Writes,
        key: &ChangesetKey,
        outcome: PositionWrite,
    ) -> Result<Vec<Request>, Corruption> {
        let next = writes.answer(key, outcome)?;
        if writes.is_done() {
            return Ok(self.write(state, writes));
        }
        self.phase = Phase::Writing(state, writes);
        Ok(next.into_iter().collect())
    }

    /// The intent of `state` is complete. "No position" is valid only in entries that are read from
    /// here on; earlier ones are dropped.
    fn search_anew(&mut self, state: IndexState) -> Vec<Request> {
        self.lanes.values_mut().for_each(Lane::forget);
        self.search(state)
    }

    /// Reads until a block is complete, and then reserves it.
    fn search(&mut self, state: IndexState) -> Vec<Request> {
        loop {
            let draft = Draft::plan(self.in_turn(), self.limit);
            let refused = draft.refused.iter().map(|refused| &refused.key.stream_id);
            for stream_id in draft.settled.iter().chain(refused) {
                self.lanes.remove(stream_id);
            }
            self.refused.extend(draft.refused.iter().cloned());
            if !draft.reads.is_empty() {
                self.phase = Phase::Searching(state);
                return vec![Request::LookUp(draft.reads)];
            }
            if !draft.settled.is_empty() || !draft.refused.is_empty() {
                continue;
            }
            if draft.members.is_empty() {
                return Vec::new();
            }
            let previous = state.rev;
            let next = state.reserve(draft.members);
            self.phase = Phase::Swapping(next.clone());
            return vec![Request::Swap { previous, next }];
        }
    }

    /// The lanes after the one that was first in the last block, and then the others.
    fn in_turn(&self) -> impl Iterator<Item = &Lane> {
        let (behind, others) = match &self.turn {
            Some(turn) => (
                self.lanes.range((Excluded(turn.clone()), Unbounded)),
                Some(self.lanes.range(..=turn.clone())),
            ),
            None => (self.lanes.range::<StreamId, _>(..), None),
        };
        behind
            .chain(others.into_iter().flatten())
            .map(|(_, lane)| lane)
    }
}
