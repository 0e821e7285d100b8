//! The thread that writes.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use async_channel::Receiver;
use ees_core::adapter::group_commit::{BatchLimit, GroupCommit};
use ees_core::adapter::{Commit, CommitSet, News, Outcome, SetOutcome};
use ees_core::{Checkpoint, StorageError, Written};
use futures_timer::Delay;
use futures_util::future::{Either, join, select};
use rusqlite::Connection;

use crate::halt::Halt;
use crate::jobs::{Job, Jobs};
use crate::lock::WriterLock;
use crate::readers::Readers;
use crate::regroup::Arrivals;
use crate::row_check::check_some;
use crate::small_writes::SmallWrite;
use crate::threads;
use crate::upkeep::Upkeep;
use crate::writer::{WriteConnection, Writer};

/// How many jobs may wait, and how many small writes: those of statistics, consumers and subscriptions'
/// checkpoints.
const JOBS: usize = 64;

/// How often the file is looked at.
const UPKEEP: Duration = Duration::from_secs(1);

/// How much longer the check of the rows rests than it works, and the shortest rest.
const CHECK_REST: u32 = 20;
const CHECK_PAUSE: Duration = Duration::from_millis(20);

/// How long the check of the rows rests when it has seen all of them.
const CHECK_AGAIN: Duration = Duration::from_hours(24);

/// The callers' side of the thread.
#[derive(Debug)]
pub(crate) struct WriterThread {
    /// `None` if the file is opened to read.
    commits: Option<GroupCommit>,
    arrivals: Arrivals,
    pub(crate) jobs: Jobs,
    small_writes: Jobs<SmallWrite>,
    pub(crate) outdated: Arc<AtomicBool>,
    /// Closed when the thread has given everything back.
    ended: Receiver<Infallible>,
}

impl WriterThread {
    /// Starts the thread. It ends after [`close`](Self::close), or when this side is dropped. It
    /// then ends the readers, closes its connection and releases the lock.
    pub(crate) fn start(
        path: PathBuf,
        connection: WriteConnection,
        lock: WriterLock,
        (checked, readers): (Jobs, Readers),
        news: Arc<News>,
    ) -> io::Result<Self> {
        let outdated = connection.outdated();
        let arrivals = Arrivals::default();
        let (jobs, queue) = Jobs::queue(JOBS, connection.halt());
        let (small_writes, waiting) = Jobs::queue(JOBS, connection.halt());
        let queues = (queue.clone(), waiting.clone());
        let writer = Writer::new(connection.clone(), queues, news, arrivals.clone());
        let (commits, run) = GroupCommit::new(writer, BatchLimit::default());
        let (end, ended) = async_channel::bounded(1);
        threads::start("ees-sqlite-write", move || {
            // Locals are dropped in reverse, also after a panic: the lock goes after the files.
            let _end = end;
            let _lock = lock;
            let readers = readers;
            let serve = pin!(serve(connection, (Queue(queue), Queue(waiting)), path));
            let jobs = async {
                match select(serve, pin!(check_rows(checked))).await {
                    Either::Left((connection, _)) => connection,
                    Either::Right(((), serve)) => serve.await,
                }
            };
            // Both begin to end when the callers' side is closed or dropped.
            let writer = futures_executor::block_on(join(run, jobs));
            drop(readers);
            // The last connection checkpoints the write-ahead log into the file. If it fails, the
            // next connection that opens the file does so.
            drop(writer);
        })?;
        Ok(Self {
            commits: Some(commits),
            arrivals,
            jobs,
            small_writes,
            outdated,
            ended,
        })
    }

    /// Starts a thread that refuses all writes, of a file that another process may write to.
    pub(crate) fn refusing(readers: Readers, halt: &Halt) -> io::Result<Self> {
        let (jobs, queue) = Jobs::<Job>::queue(JOBS, halt);
        let (small_writes, _) = Jobs::queue(JOBS, halt);
        let (end, ended) = async_channel::bounded(1);
        threads::start("ees-sqlite-write", move || {
            let _end = end;
            let readers = readers;
            let queue = Queue(queue);
            while let Ok(job) = queue.0.recv_blocking() {
                job(Err(opened_to_read()));
            }
            drop(readers);
        })?;
        Ok(Self {
            commits: None,
            arrivals: Arrivals::default(),
            jobs,
            small_writes,
            outdated: Arc::default(),
            ended,
        })
    }

    /// Hands a commit in, and waits for what becomes of it.
    pub(crate) async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        let commits = self.commits.as_ref().ok_or_else(opened_to_read)?;
        self.arrivals.count(1);
        commits.commit(commit).await
    }

    /// The same, of a set of commits.
    pub(crate) async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        let commits = self.commits.as_ref().ok_or_else(opened_to_read)?;
        self.arrivals.count(set.commits.len());
        commits.commit_set(set).await
    }

    /// Does a small write with those that wait, or with the next batch, or nothing of it if it fails.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        if self.commits.is_none() {
            return Err(opened_to_read());
        }
        self.small_writes.write(write).await
    }

    /// Accepts nothing more.
    pub(crate) fn close(&self) {
        if let Some(commits) = &self.commits {
            commits.close();
        }
        self.jobs.close();
        self.small_writes.close();
    }

    /// Waits until the thread has given everything back.
    pub(crate) async fn ended(&self) {
        let _ = self.ended.recv().await;
    }
}

/// The error of every write to a file that is opened to read.
fn opened_to_read() -> StorageError {
    StorageError::unavailable("the file is opened to read", Written::None)
}

/// Does jobs and small writes while no commit waits. Group commit does them with its transactions, and
/// between them. Each second it also looks at the file, and folds the log once nothing was written for as
/// long.
async fn serve(
    connection: WriteConnection,
    (jobs, small_writes): (Queue<Job>, Queue<SmallWrite>),
    path: PathBuf,
) -> WriteConnection {
    let mut upkeep = Upkeep::begin(&path);
    let mut pause = Delay::new(UPKEEP);
    loop {
        let (mut job, mut small_write) = (pin!(jobs.0.recv()), pin!(small_writes.0.recv()));
        match select(select(&mut job, &mut small_write), &mut pause).await {
            Either::Left((Either::Left((Ok(job), _)), _)) => connection.run(job),
            Either::Left((Either::Right((Ok(small_write), _)), _)) => {
                connection.run_small_writes(Some(small_write), &small_writes.0);
            }
            // Both are closed at once.
            Either::Left((_, _)) => break,
            Either::Right(_) => {
                connection.keep_up(&mut upkeep);
                pause.reset(UPKEEP);
            }
        }
    }
    while let Ok(job) = jobs.0.try_recv() {
        connection.run(job);
    }
    connection.run_small_writes(None, &small_writes.0);
    connection
}

/// Compares all rows with their checksums and with the index, again and again: damage is told before
/// somebody needs the row. It takes a small part of the time of a reader.
async fn check_rows(readers: Jobs) {
    loop {
        Delay::new(UPKEEP).await;
        let mut next = Some(Checkpoint::FIRST);
        while let Some(from) = next {
            let begun = Instant::now();
            let checked = readers.run(move |connection| check_some(connection, from));
            match checked.await {
                Ok(reached) => next = reached,
                // It is told, and no commits are accepted any more.
                Err(StorageError::Corrupt(_)) => return,
                Err(_) => {}
            }
            Delay::new((begun.elapsed() * CHECK_REST).clamp(CHECK_PAUSE, UPKEEP)).await;
        }
        Delay::new(CHECK_AGAIN).await;
    }
}

/// The thread's side of the queue. A thread that panics drops the jobs that wait, and so tells
/// their callers.
struct Queue<J>(Receiver<J>);

impl<J> Drop for Queue<J> {
    fn drop(&mut self) {
        self.0.close();
        while let Ok(job) = self.0.try_recv() {
            drop(job);
        }
    }
}
