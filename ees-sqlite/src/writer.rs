//! The transactions of group commit.

use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_channel::Receiver;
use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchStore, Snapshot};
use ees_core::adapter::{ClientKey, Commit, News};
use ees_core::{Changeset, Checkpoint, StorageError, StreamId, Written};
use rusqlite::{Connection, params};

use crate::checksum::Outline;
use crate::client_keys::FullBlock;
use crate::error::{is_failed_flush, translate};
use crate::halt::Halt;
use crate::jobs::Job;
use crate::known::Known;
use crate::opening::{self, Opened};
use crate::regroup::{Arrivals, Regroup};
use crate::remembered::Memory;
use crate::rows::columns;
use crate::small_writes::{self, SmallWrite};
use crate::state;
use crate::transaction::{self, execute};
use crate::upkeep::Upkeep;

/// Begins a transaction with the write lock, so that what it reads cannot change before the commit.
const BEGIN: &str = "BEGIN IMMEDIATE";

const INSERT: &str = concat!(
    "INSERT INTO changesets (",
    columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
);

/// The connection that writes. Only the writer's thread uses it, so its lock is always free.
#[derive(Debug, Clone)]
pub(crate) struct WriteConnection {
    connection: Arc<Mutex<Connection>>,
    halt: Halt,
    /// What the lock file says of the store.
    memory: Memory,
    /// A job may have written what the transactions of group commit remember.
    outdated: Arc<AtomicBool>,
    /// Whether the file is prepared for writing. It was not when the disk was full at the start.
    is_prepared: Arc<AtomicBool>,
    path: Arc<Path>,
}

impl WriteConnection {
    pub(crate) fn new(path: &Path, opened: Opened, halt: Halt, memory: Memory) -> Self {
        Self {
            connection: Arc::new(Mutex::new(opened.connection)),
            halt,
            memory,
            outdated: Arc::default(),
            is_prepared: Arc::new(opened.is_prepared.into()),
            path: path.into(),
        }
    }

    /// Does a job outside the transactions of group commit.
    pub(crate) fn run(&self, job: Job) {
        match self.check() {
            Ok(()) => job(Ok(&self.lock())),
            Err(halted) => job(Err(halted)),
        }
    }

    /// Does small writes outside the transactions of group commit: this one, and those that wait.
    pub(crate) fn run_small_writes(
        &self,
        first: Option<SmallWrite>,
        waiting: &Receiver<SmallWrite>,
    ) {
        let run = |connection| small_writes::by_themselves(connection, &self.halt, first, waiting);
        match self.check() {
            Ok(()) => run(Ok(&self.lock())),
            Err(halted) => run(Err(halted)),
        }
    }

    /// Why nothing more is written, once that is so.
    pub(crate) fn halt(&self) -> &Halt {
        &self.halt
    }

    /// Tells the transactions of group commit to forget what they remember. A job sets it before it
    /// writes.
    pub(crate) fn outdated(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.outdated)
    }

    /// Looks after the file. What is found there ends all writes.
    pub(crate) fn keep_up(&self, upkeep: &mut Upkeep) {
        if self.halt.check().is_err() || !self.is_prepared.load(Ordering::Relaxed) {
            return;
        }
        if let Err(lost) = upkeep.look() {
            return self.halt.file_lost(&lost);
        }
        if let Err(error) = upkeep.fold_if_idle(&self.lock()) {
            if is_failed_flush(&error) {
                self.halt.flush_failed();
            } else {
                self.halt.note(&translate(error));
            }
        }
    }

    fn check(&self) -> Result<(), StorageError> {
        self.halt.check()?;
        if !self.is_prepared.load(Ordering::Relaxed) {
            let prepared = opening::prepare(&self.path, &mut self.lock());
            prepared
                .map_err(|error| StorageError::unavailable(error.to_string(), Written::None))?;
            self.is_prepared.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the transactions of group commit. Its calls block, and complete at the first poll. The
/// writer's thread therefore does nothing else between the begin and the end of a transaction.
#[derive(Debug)]
pub(crate) struct Writer {
    connection: WriteConnection,
    known: Known,
    jobs: Receiver<Job>,
    small_writes: Receiver<SmallWrite>,
    news: Arc<News>,
    regroup: Regroup,
}

impl Writer {
    pub(crate) fn new(
        connection: WriteConnection,
        (jobs, small_writes): (Receiver<Job>, Receiver<SmallWrite>),
        news: Arc<News>,
        arrivals: Arrivals,
    ) -> Self {
        Self {
            connection,
            known: Known::default(),
            jobs,
            small_writes,
            news,
            regroup: Regroup::new(arrivals),
        }
    }

    /// Opens a transaction and reads. What is known is forgotten if that fails.
    fn open(&mut self, streams: &[StreamId], keys: &[ClientKey]) -> Result<Snapshot, StorageError> {
        self.connection.check()?;
        let mut known = mem::take(&mut self.known);
        if self.connection.outdated.swap(false, Ordering::Relaxed) {
            known = Known::default();
        }
        let connection = self.connection.lock();
        transaction::end(&connection);
        execute(&connection, BEGIN).map_err(translate)?;
        let snapshot = known.snapshot(&connection, streams, keys);
        let snapshot = snapshot.inspect_err(|error| self.connection.halt.note(error))?;
        drop(connection);
        self.known = known;
        Ok(snapshot)
    }

    /// Writes and commits. What is known is forgotten unless COMMIT succeeds.
    fn write(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        let mut known = mem::take(&mut self.known);
        let connection = self.connection.lock();
        let full = known.advance(changesets);
        let stored = store(&connection, changesets, &full);
        stored.inspect_err(|error| self.connection.halt.note(error))?;
        let answers = small_writes::along(&connection, &self.small_writes);
        let committed = small_writes::commit(&connection, &self.connection.halt);
        drop(connection);
        for answer in answers {
            answer(committed.clone());
        }
        committed?;
        if let Some(end) = known.end() {
            self.connection.memory.end(end);
        }
        self.known = known;
        Ok(())
    }
}

#[async_trait]
impl BatchStore for Writer {
    /// Does the jobs that wait, and waits a moment for callers. The file is locked for this process, so no other writer exists.
    async fn await_turn(&mut self, _first: &Commit) -> Result<(), StorageError> {
        for _ in 0..self.jobs.len() {
            if let Ok(job) = self.jobs.try_recv() {
                self.connection.run(job);
            }
        }
        self.regroup.wait();
        Ok(())
    }

    async fn begin(
        &mut self,
        streams: &[StreamId],
        keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError> {
        self.regroup.begin();
        self.open(streams, keys)
    }

    async fn commit(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        self.write(changesets)?;
        self.regroup.committed(changesets.len());
        self.news.announce();
        Ok(())
    }

    async fn rollback(&mut self) {
        transaction::end(&self.connection.lock());
        self.connection.run_small_writes(None, &self.small_writes);
    }
}

/// Writes changesets, and the keys of the blocks that they fill, in the open transaction.
fn store(
    connection: &Connection,
    changesets: &[Changeset],
    full: &[FullBlock],
) -> Result<(), StorageError> {
    insert(connection, changesets).map_err(translate)?;
    for block in full {
        block.file(connection).map_err(translate)?;
    }
    Ok(())
}

/// Inserts changesets with their checksums in the open transaction, and keeps where the table ends.
pub(crate) fn insert(connection: &Connection, changesets: &[Changeset]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(INSERT)?;
    let mut end = None;
    for changeset in changesets {
        let position = changeset.checkpoint.unwrap_or(Checkpoint::FIRST);
        let (set_mark, types) = (
            changeset.set.map(|set| set.to_string()),
            changeset.events.types(),
        );
        let outline = Outline {
            checkpoint: position.as_i64(),
            stream_id: changeset.stream_id.as_str(),
            changeset_id: changeset.changeset_id.as_i64(),
            first_event_id: changeset.first_event_id.as_i64(),
            last_event_id: changeset.last_event_id.as_i64(),
            timestamp: changeset.timestamp.as_micros(),
            commit_id: changeset.commit_id.as_str(),
            set_mark: set_mark.as_deref(),
            event_types: types.as_deref(),
        };
        let (metadata, events) = (changeset.metadata.as_str(), changeset.events.as_str());
        let checksum = outline.checksum(metadata, events);
        statement.execute(params![
            outline.checkpoint,
            outline.stream_id,
            outline.changeset_id,
            outline.first_event_id,
            outline.last_event_id,
            outline.timestamp,
            outline.commit_id,
            outline.set_mark,
            outline.event_types,
            checksum,
            metadata,
            events,
        ])?;
        end = Some((position.plus(1), checksum));
    }
    match end {
        Some((next, checksum)) => state::advance(connection, next, checksum),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
