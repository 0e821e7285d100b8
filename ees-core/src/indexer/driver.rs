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

/// The number of swaps that a run may lose in a row before it fails.
const MAX_LOST_SWAPS: u32 = 64;

/// The longest first pause of a worker that meets another one; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The age, in microseconds, at which the notification of a changeset counts as lost: ten minutes.
const LOST_AFTER: i64 = 10 * 60 * 1_000_000;

/// A worker that assigns positions to changesets. Any number of workers may run at the same time.
pub struct Indexer {
    index: Arc<dyn Index>,
    clock: Arc<dyn Clock>,
    limit: BlockLimit,
    complete: Option<u64>,
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The number of positions that the run wrote.
    pub written: u64,
    /// The number of blocks that the run reserved.
    pub blocks: u64,
    /// The number of swaps that the run lost to another worker.
    pub lost_swaps: u64,
    /// The changesets that cannot have a position, and so block the later changesets of their
    /// streams. An operator has to intervene.
    pub refused: Vec<Refused>,
}

/// A failed run. Another run with the same candidates is safe, and finishes the work.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{source}")]
pub struct IndexingError {
    /// The cause. [`StorageError::Corrupt`] needs an operator; after another error a retry may
    /// succeed.
    pub r#source: StorageError,
    /// The work that the run did before it failed.
    pub done: Report,
}

/// The result of one page of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// The number of changesets without a position that the page holds.
    pub found: usize,
    /// The number of those that were committed over ten minutes ago: their notification is lost.
    /// The notification of the others may still arrive.
    pub lost: usize,
    /// The number of items that are not valid changesets.
    pub malformed: usize,
    /// The result of indexing them.
    pub done: Report,
    /// Where the next page begins; `None` at the end.
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

    /// Assigns a position to each of these changesets, and to the earlier changesets of their
    /// streams that have none. The candidates may be in any order, repeated, or already indexed.
    /// The call may be dropped.
    ///
    /// # Errors
    /// [`IndexingError`] if the storage fails, or holds contradictory data.
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

    /// Indexes one page of a sweep: changesets whose notification may be lost. The bound of G8 is
    /// the time between two sweeps plus the duration of one. Different workers may take the pages
    /// of a sweep, one after another.
    ///
    /// # Errors
    /// [`IndexingError`] if the storage fails, or holds contradictory data; the same page can be
    /// retried.
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
        let (mut lost_in_a_row, mut pauses) = (0, 0);
        let mut running = FuturesUnordered::new();
        running.extend(requests.into_iter().map(|r| self.perform(r, pauses)));
        while let Some(answer) = running.next().await {
            let answer = answer?;
            match answer {
                Answer::Written(_, PositionWrite::Written) => done.written += 1,
                Answer::Swapped(true) => {
                    done.blocks += 1;
                    (lost_in_a_row, pauses) = (0, 0);
                }
                Answer::Swapped(false) => {
                    done.lost_swaps += 1;
                    lost_in_a_row += 1;
                }
                Answer::Paused => pauses += 1,
                _ => {}
            }
            if lost_in_a_row > MAX_LOST_SWAPS {
                return Err(StorageError::unavailable(
                    "too many indexers compete",
                    Written::None,
                ));
            }
            let requests = run.answer(answer)?;
            running.extend(requests.into_iter().map(|r| self.perform(r, pauses)));
        }
        Ok(())
    }

    async fn perform(&self, request: Request, pauses: u32) -> Result<Answer, StorageError> {
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
                self.clock.sleep(pause(pauses)).await;
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

/// A random duration that doubles with each pause in a row.
fn pause(pauses: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << pauses.min(16));
    // The random keys of a hasher are enough to separate the workers that collided.
    let random = RandomState::new().hash_one(pauses);
    let millis = doubled.min(LONGEST_PAUSE).as_millis().max(1);
    Duration::from_millis(random % u64::try_from(millis).unwrap_or(1))
}

impl std::fmt::Debug for Indexer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Indexer").finish_non_exhaustive()
    }
}
