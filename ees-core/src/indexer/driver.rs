//! The async loop around the algorithm.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use futures_util::stream::FuturesUnordered;

use crate::ports::{
    ChangesetKey, Clock, Entry, Index, MAX_KEYS, PositionWrite, SweepCursor, SystemClock,
};
use crate::{StorageError, Timestamp, Written};

use super::{Answer, BlockLimit, Indexing, Refused, Request};

/// How often in a row others may be faster before a run gives up.
const MAX_LOST_SWAPS: u32 = 64;

/// The longest pause after the first lost swap; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause after any number of lost swaps.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A notification that did not come for so many microseconds is lost: ten minutes.
const LOST_AFTER: i64 = 10 * 60 * 1_000_000;

/// One worker that gives changesets their positions. Any number of them may run at the same time.
pub struct Indexer {
    index: Arc<dyn Index>,
    clock: Arc<dyn Clock>,
    limit: BlockLimit,
    complete: Option<u64>,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Positions that it wrote.
    pub written: u64,
    /// Blocks that it reserved.
    pub blocks: u64,
    /// How often another was faster.
    pub lost_swaps: u64,
    /// What can have no position, and so keeps what follows in its stream waiting. Somebody has to
    /// look.
    pub refused: Vec<Refused>,
}

/// A run that failed. To run again with the same candidates is safe, and finishes what was begun.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{source}")]
pub struct IndexingError {
    /// Why. [`StorageError::Corrupt`] needs somebody to look; otherwise trying again may help.
    pub r#source: StorageError,
    /// What was done all the same.
    pub done: Report,
}

/// What a page of a sweep did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// How many changesets without a position it found.
    pub found: usize,
    /// Those of them that were committed over ten minutes ago. The others may only be about to be
    /// indexed, as always in a store in use.
    pub lost: usize,
    /// How many items it found that are no changesets.
    pub malformed: usize,
    /// What was done for them.
    pub done: Report,
    /// Where to go on; `None` at the end.
    pub next: Option<SweepCursor>,
}

impl Indexer {
    /// A worker over a storage.
    pub fn new(index: Arc<dyn Index>) -> Self {
        Self {
            index,
            clock: Arc::new(SystemClock),
            limit: BlockLimit::default(),
            complete: None,
        }
    }

    /// The same worker with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The same worker with blocks of another size.
    #[must_use]
    pub fn with_limit(mut self, limit: BlockLimit) -> Self {
        self.limit = limit;
        self
    }

    /// Gives each of these changesets its position, and those before them in their streams that
    /// have none. Duplicates, those that have a position, and any order are welcome. The call may
    /// be dropped.
    ///
    /// # Errors
    /// [`IndexingError`] if the storage fails, or holds what never can be.
    pub async fn index(
        &mut self,
        candidates: impl IntoIterator<Item = ChangesetKey>,
    ) -> Result<Report, IndexingError> {
        let (mut run, requests) = Indexing::begin(candidates, self.complete, self.limit);
        let mut done = Report::default();
        let result = self.drive(&mut run, requests, &mut done).await;
        self.complete = run.complete();
        done.refused = run.refused().to_vec();
        match result {
            Ok(()) => Ok(done),
            Err(source) => Err(IndexingError { source, done }),
        }
    }

    /// Indexes one page of what was never indexed: its notification was lost. The bound of G8 is
    /// the time between two sweeps and the time that one takes. The pages of a sweep may go to
    /// different workers, one after another.
    ///
    /// # Errors
    /// [`IndexingError`] if the storage fails, or holds what never can be; the same page can be
    /// tried again.
    pub async fn sweep_page(
        &mut self,
        after: Option<&SweepCursor>,
    ) -> Result<Swept, IndexingError> {
        let page = self.index.unindexed(after).await;
        let page = page.map_err(|source| IndexingError {
            source,
            done: Report::default(),
        })?;
        let lost_before = self.clock.now().as_micros() - LOST_AFTER;
        let is_lost = |(_, committed): &&(_, Timestamp)| committed.as_micros() < lost_before;
        Ok(Swept {
            found: page.found.len(),
            lost: page.found.iter().filter(is_lost).count(),
            malformed: page.malformed,
            done: self
                .index(page.found.into_iter().map(|(key, _)| key))
                .await?,
            next: page.next,
        })
    }

    async fn drive(
        &self,
        run: &mut Indexing,
        requests: Vec<Request>,
        done: &mut Report,
    ) -> Result<(), StorageError> {
        let mut lost_in_a_row = 0;
        let mut running = FuturesUnordered::new();
        running.extend(requests.into_iter().map(|r| self.perform(r, lost_in_a_row)));
        while let Some(answer) = running.next().await {
            let answer = answer?;
            match answer {
                Answer::Written(_, PositionWrite::Written) => done.written += 1,
                Answer::Swapped(true) => {
                    done.blocks += 1;
                    lost_in_a_row = 0;
                }
                Answer::Swapped(false) => {
                    done.lost_swaps += 1;
                    lost_in_a_row += 1;
                }
                _ => {}
            }
            if lost_in_a_row > MAX_LOST_SWAPS {
                return Err(StorageError::unavailable(
                    "too many indexers compete",
                    Written::None,
                ));
            }
            let requests = run.answer(answer)?;
            running.extend(requests.into_iter().map(|r| self.perform(r, lost_in_a_row)));
        }
        Ok(())
    }

    async fn perform(&self, request: Request, lost_in_a_row: u32) -> Result<Answer, StorageError> {
        Ok(match request {
            Request::Load => Answer::Loaded(self.index.load_state().await?),
            Request::LookUp(keys) => Answer::LookedUp(self.look_up(keys).await?),
            Request::Write { key, position } => {
                let outcome = self.index.write_position(&key, position).await?;
                Answer::Written(key, outcome)
            }
            Request::Swap { previous, next } => {
                Answer::Swapped(self.index.swap_state(previous, &next).await?)
            }
            Request::Pause => {
                self.clock.sleep(pause(lost_in_a_row)).await;
                Answer::Paused
            }
        })
    }

    async fn look_up(
        &self,
        keys: Vec<ChangesetKey>,
    ) -> Result<Vec<(ChangesetKey, Entry)>, StorageError> {
        let pieces = keys.chunks(MAX_KEYS).map(|keys| self.index.look_up(keys));
        let entries = try_join_all(pieces).await?.concat();
        if entries.len() != keys.len() {
            return Err(super::Corruption::Unasked.into());
        }
        Ok(keys.into_iter().zip(entries).collect())
    }
}

/// A random part of a time that doubles with each swap lost in a row.
fn pause(lost_in_a_row: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << lost_in_a_row.saturating_sub(1).min(16));
    // A hasher's keys are random enough to part those who collided.
    let random = RandomState::new().hash_one(lost_in_a_row);
    let millis = doubled.min(LONGEST_PAUSE).as_millis().max(1);
    Duration::from_millis(random % u64::try_from(millis).unwrap_or(1))
}

impl std::fmt::Debug for Indexer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Indexer").finish_non_exhaustive()
    }
}
