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

use crate::error::{is_failed_flush, translate, translate_commit};
use crate::jobs::Job;
use crate::known::Known;
use crate::opening::{self, Opened};
use crate::regroup::{Arrivals, Regroup};
use crate::rows::columns;

/// Begins a transaction with the write lock, so that what it reads cannot change before the commit.
const BEGIN: &str = "BEGIN IMMEDIATE";

const BROKEN: &str = "the disk failed while an earlier commit was flushed to it, so no more commits are \
    accepted. Check the disk, then restart: open the store again";

const INSERT: &str = concat!(
    "INSERT INTO changesets (",
    columns!(),
    ", event_types) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
);

/// The connection that writes. Only the writer's thread uses it, so its lock is always free.
#[derive(Debug, Clone)]
pub(crate) struct WriteConnection {
    connection: Arc<Mutex<Connection>>,
    /// A flush failed. The file may now show what the disk has lost
    /// (<https://wiki.postgresql.org/wiki/Fsync_Errors>), and a later flush would not notice. Nothing
    /// may build on that. Opening the file anew makes what it shows durable.
    broken: Arc<AtomicBool>,
    /// A job may have written what the transactions of group commit remember.
    outdated: Arc<AtomicBool>,
    /// Whether the file is prepared for writing. It was not when the disk was full at the start.
    is_prepared: Arc<AtomicBool>,
    path: Arc<Path>,
}

impl WriteConnection {
    pub(crate) fn new(path: &Path, opened: Opened) -> Self {
        Self {
            connection: Arc::new(Mutex::new(opened.connection)),
            broken: Arc::default(),
            outdated: Arc::default(),
            is_prepared: Arc::new(opened.is_prepared.into()),
            path: path.into(),
        }
    }

    /// Does a job outside the transactions of group commit.
    pub(crate) fn run(&self, job: Job) {
        match self.check() {
            Ok(()) => job(Ok(&self.lock())),
            Err(broken) => job(Err(broken)),
        }
    }

    /// Whether nothing more is written. Whoever sees a flush fail sets it.
    pub(crate) fn broken(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.broken)
    }

    /// Tells the transactions of group commit to forget what they remember. A job sets it before it
    /// writes.
    pub(crate) fn outdated(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.outdated)
    }

    fn check(&self) -> Result<(), StorageError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(StorageError::unavailable(BROKEN, Written::None));
        }
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
    news: Arc<News>,
    regroup: Regroup,
}

impl Writer {
    pub(crate) fn new(
        connection: WriteConnection,
        jobs: Receiver<Job>,
        news: Arc<News>,
        arrivals: Arrivals,
    ) -> Self {
        Self {
            connection,
            known: Known::default(),
            jobs,
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
        end_transaction(&connection);
        execute(&connection, BEGIN).map_err(translate)?;
        let snapshot = known.snapshot(&connection, streams, keys)?;
        drop(connection);
        self.known = known;
        Ok(snapshot)
    }

    /// Writes and commits. What is known is forgotten unless COMMIT succeeds.
    fn write(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        let mut known = mem::take(&mut self.known);
        let connection = self.connection.lock();
        let full = known.advance(changesets);
        insert(&connection, changesets).map_err(translate)?;
        for block in full {
            block.file(&connection).map_err(translate)?;
        }
        let committed = execute(&connection, "COMMIT");
        drop(connection);
        if let Err(error) = committed {
            if is_failed_flush(&error) {
                self.connection.broken.store(true, Ordering::Relaxed);
            }
            return Err(translate_commit(error));
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
        end_transaction(&self.connection.lock());
    }
}

/// Rolls a transaction back if one is open. After some errors SQLite has done so itself.
fn end_transaction(connection: &Connection) {
    if !connection.is_autocommit() {
        // If it fails, the next BEGIN fails and says why.
        let _ = execute(connection, "ROLLBACK");
    }
}

fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}

/// Inserts changesets in the open transaction.
pub(crate) fn insert(connection: &Connection, changesets: &[Changeset]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(INSERT)?;
    for changeset in changesets {
        statement.execute(params![
            changeset.checkpoint.map(Checkpoint::as_i64),
            changeset.stream_id.as_str(),
            changeset.changeset_id.as_i64(),
            changeset.first_event_id.as_i64(),
            changeset.last_event_id.as_i64(),
            changeset.timestamp.as_micros(),
            changeset.commit_id.as_str(),
            changeset.metadata.as_str(),
            changeset.events.as_str(),
            changeset.set.map(|set| set.to_string()),
            changeset.events.types(),
        ])?;
    }
    Ok(())
}
