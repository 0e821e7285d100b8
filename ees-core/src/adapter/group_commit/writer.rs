//! The writer's loop.

use std::collections::HashSet;

use async_channel::{Receiver, Sender};
use async_trait::async_trait;
use futures_channel::oneshot;
use tracing::Span;

use super::retry::{Failure, Retry, Step};
use super::{Snapshot, judge};
use crate::commit::{ClientKey, Commit, Outcome};
use crate::set::{CommitSet, SetOutcome};
use crate::{Changeset, StorageError, StreamId, Written};
use crate::{measure, spans};

/// The operations that the writer needs of a database: one transaction at a time.
///
/// The writer calls `await_turn` and `begin`, then `commit` if there is something to write. It
/// calls `rollback` instead if there is nothing to write, and after any error.
#[async_trait]
pub trait BatchStore: Send + 'static {
    /// Waits until no other writer is active, if the database can have several. Commits that arrive
    /// meanwhile join the batch. The argument is the batch's first commit: the adapter may read
    /// the head of its stream and look its key up in the same call, since a batch often has one
    /// commit only.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn await_turn(&mut self, first: &Commit) -> Result<(), StorageError>;

    /// Opens a transaction that excludes every other writer, unless it is already open, and reads
    /// the state that the judge needs: the heads of these streams, and the changesets that have
    /// these keys. The keys of commits that the store generated are not among them.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn begin(
        &mut self,
        streams: &[StreamId],
        keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError>;

    /// Writes changesets in the open transaction and commits it durably.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails; its [`Written`] must be [`Unknown`](Written::Unknown)
    /// unless it is certain that nothing was written.
    async fn commit(&mut self, changesets: &[Changeset]) -> Result<(), StorageError>;

    /// Drops the transaction, if one is open.
    async fn rollback(&mut self);
}

/// The limits of one transaction and of the queue.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimit {
    /// The largest number of commits.
    pub commits: usize,
    /// The largest number of payload bytes, except for a single larger commit.
    pub bytes: usize,
    /// The number of commits that the queue holds. If it is full, callers wait.
    pub queue: usize,
}

impl Default for BatchLimit {
    fn default() -> Self {
        Self {
            commits: 256,
            bytes: 4 * 1024 * 1024,
            queue: 1024,
        }
    }
}

/// The callers' side of the writer.
#[derive(Debug, Clone)]
pub struct GroupCommit {
    queue: Sender<Waiting>,
}

/// A set of commits and the channel for its outcome.
#[derive(Debug)]
struct Waiting {
    set: CommitSet,
    answer: oneshot::Sender<Result<SetOutcome, StorageError>>,
    /// The span of the call that waits.
    span: Span,
}

impl GroupCommit {
    /// Returns the callers' side and the writer's loop, which has to be spawned. The loop ends
    /// after [`GroupCommit::close`], or when the last callers' side is dropped. It first answers
    /// all accepted commits, and then returns the store.
    pub fn new<S: BatchStore>(
        store: S,
        limit: BatchLimit,
    ) -> (Self, impl Future<Output = S> + Send) {
        let (queue, waiting) = async_channel::bounded(limit.queue.max(1));
        let writer = Writer {
            waiting: Queue(waiting),
            limit,
            store,
        };
        (Self { queue }, writer.run())
    }

    /// Hands a commit to the writer and waits for its outcome.
    ///
    /// # Errors
    /// [`StorageError`] if the storage failed or is closed.
    pub async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        let set = CommitSet::of_one(commit.clone());
        self.write(set).await?.into_single()
    }

    /// Hands a set of commits to the writer and waits for its outcome.
    ///
    /// # Errors
    /// [`StorageError`] if the storage failed or is closed.
    pub async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        self.write(set.clone()).await
    }

    async fn write(&self, set: CommitSet) -> Result<SetOutcome, StorageError> {
        let (answer, outcome) = oneshot::channel();
        let waiting = Waiting {
            set,
            answer,
            span: Span::current(),
        };
        let queued = self.queue.send(waiting).await;
        queued.map_err(|_| StorageError::closed())?;
        outcome
            .await
            .unwrap_or_else(|_| Err(stopped(Written::Unknown)))
    }

    /// Accepts no more commits.
    pub fn close(&self) {
        self.queue.close();
    }
}

fn stopped(written: Written) -> StorageError {
    StorageError::unavailable("its writer task has stopped", written)
}

/// The writer's side of the queue. When the writer ends, also by a panic or an abort, it answers
/// all commits that are still in the queue: they were not written.
struct Queue(Receiver<Waiting>);

impl Drop for Queue {
    fn drop(&mut self) {
        self.0.close();
        while let Ok(waiting) = self.0.try_recv() {
            reply(waiting, Err(stopped(Written::None)));
        }
    }
}

struct Writer<S> {
    waiting: Queue,
    limit: BatchLimit,
    store: S,
}

impl<S: BatchStore> Writer<S> {
    async fn run(mut self) -> S {
        let mut held_over = None;
        loop {
            let first = match held_over.take() {
                Some(waiting) => waiting,
                None => match self.waiting.0.recv().await {
                    Ok(waiting) => waiting,
                    Err(_) => return self.store,
                },
            };
            let turn = self.await_turn(&first.set).await;
            let batch;
            (batch, held_over) = self.gather(first);
            self.settle(turn, batch).await;
        }
    }

    /// Takes all waiting commits up to the limit of one transaction. The first commit beyond the
    /// limit begins the next batch. A set counts as one commit.
    fn gather(&self, first: Waiting) -> (Vec<Waiting>, Option<Waiting>) {
        let mut bytes = first.set.payload_bytes();
        let mut batch = vec![first];
        while batch.len() < self.limit.commits
            && let Ok(waiting) = self.waiting.0.try_recv()
        {
            if waiting.answer.is_canceled() {
                continue;
            }
            bytes += waiting.set.payload_bytes();
            if bytes > self.limit.bytes {
                return (batch, Some(waiting));
            }
            batch.push(waiting);
        }
        (batch, None)
    }

    /// Writes a batch and answers.
    async fn settle(&mut self, turn: Result<(), StorageError>, batch: Vec<Waiting>) {
        let _span = spans::batch(batch.iter().map(|waiting| &waiting.span));
        let sets: Vec<&CommitSet> = batch.iter().map(|waiting| &waiting.set).collect();
        match self.attempt(turn, &sets).await {
            Ok(outcomes) => {
                for (waiting, outcome) in batch.into_iter().zip(outcomes) {
                    reply(waiting, Ok(outcome));
                }
            }
            Err(failure) => self.try_each(Retry::of_batch(failure), batch).await,
        }
    }

    /// Retries a failed batch, member by member, so that one bad member does not fail the others. A
    /// try with an unknown outcome is safe to repeat: a commit that was written is refused by its
    /// key or as outdated, and the use case recognises it by its commit id. Once the database is unreachable,
    /// the remaining members fail without another try or wait.
    async fn try_each(&mut self, mut retry: Retry, batch: Vec<Waiting>) {
        for waiting in batch {
            let result = if let Some(error) = retry.given_up() {
                Err(error)
            } else {
                let tried = self.try_alone(&waiting.set).await;
                tried.map_err(|failure| retry.member_failed(failure))
            };
            reply(waiting, result);
        }
    }

    async fn try_alone(&mut self, set: &CommitSet) -> Result<SetOutcome, Failure> {
        let turn = self.await_turn(set).await;
        let mut outcomes = self.attempt(turn, &[set]).await?;
        let none = || Failure::of(Step::Commit)(StorageError::closed());
        outcomes.pop().ok_or_else(none)
    }

    async fn await_turn(&mut self, first: &CommitSet) -> Result<(), StorageError> {
        match first.commits.first() {
            Some(first) => self.store.await_turn(first).await,
            // A set has at least one commit.
            None => Ok(()),
        }
    }

    /// Runs one transaction, after waiting for its turn, and rolls it back if it fails.
    async fn attempt(
        &mut self,
        turn: Result<(), StorageError>,
        sets: &[&CommitSet],
    ) -> Result<Vec<SetOutcome>, Failure> {
        let result = match turn {
            Ok(()) => self.transact(sets).await,
            Err(error) => Err(Failure::of(Step::Turn)(error)),
        };
        if result.is_err() {
            self.store.rollback().await;
        }
        result
    }

    async fn transact(&mut self, sets: &[&CommitSet]) -> Result<Vec<SetOutcome>, Failure> {
        let commits = || sets.iter().flat_map(|set| &set.commits);
        let checked = sets.iter().flat_map(|set| &set.checks);
        let streams = commits().map(|commit| &commit.stream_id);
        let streams: HashSet<&StreamId> = streams.chain(checked.map(|c| &c.stream_id)).collect();
        let streams: Vec<StreamId> = streams.into_iter().cloned().collect();
        let keys: HashSet<ClientKey> = commits().filter_map(Commit::client_key).collect();
        let keys: Vec<ClientKey> = keys.into_iter().collect();
        let begun = self.store.begin(&streams, &keys).await;
        let snapshot = begun.map_err(Failure::of(Step::Begin))?;
        let plan = judge(snapshot, sets.iter().copied());
        if plan.changesets.is_empty() {
            self.store.rollback().await;
        } else {
            let committed = self.store.commit(&plan.changesets).await;
            committed.map_err(Failure::of(Step::Commit))?;
            measure::batch(plan.changesets.len());
        }
        Ok(plan.outcomes)
    }
}

fn reply(waiting: Waiting, result: Result<SetOutcome, StorageError>) {
    // The caller may have dropped its call. The commit is stored all the same.
    let _ = waiting.answer.send(result);
}
