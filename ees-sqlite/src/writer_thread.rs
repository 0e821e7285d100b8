//! The thread that writes.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_channel::Receiver;
use ees_core::adapter::group_commit::{BatchLimit, GroupCommit};
use ees_core::adapter::{Commit, CommitSet, News, Outcome, SetOutcome};
use ees_core::{StorageError, Written};
use futures_util::future::join;

use crate::jobs::{Job, Jobs};
use crate::lock::WriterLock;
use crate::readers::Readers;
use crate::regroup::Arrivals;
use crate::threads;
use crate::writer::{WriteConnection, Writer};

/// How many jobs may wait. They are writes of statistics and of subscriptions' checkpoints.
const JOBS: usize = 64;

/// The callers' side of the thread.
#[derive(Debug)]
pub(crate) struct WriterThread {
    /// `None` if the file is opened to read.
    commits: Option<GroupCommit>,
    arrivals: Arrivals,
    pub(crate) jobs: Jobs,
    pub(crate) broken: Arc<AtomicBool>,
    pub(crate) outdated: Arc<AtomicBool>,
    /// Closed when the thread has given everything back.
    ended: Receiver<Infallible>,
}

impl WriterThread {
    /// Starts the thread. It ends after [`close`](Self::close), or when this side is dropped. It
    /// then ends the readers, closes its connection and releases the lock.
    pub(crate) fn start(
        connection: WriteConnection,
        lock: WriterLock,
        readers: Readers,
        news: Arc<News>,
    ) -> io::Result<Self> {
        let (broken, outdated) = (connection.broken(), connection.outdated());
        let arrivals = Arrivals::default();
        let (jobs, queue) = Jobs::queue(JOBS);
        let writer = Writer::new(connection.clone(), queue.clone(), news, arrivals.clone());
        let (commits, run) = GroupCommit::new(writer, BatchLimit::default());
        let (end, ended) = async_channel::bounded(1);
        threads::start("ees-sqlite-write", move || {
            // Locals are dropped in reverse, also after a panic: the lock goes after the files.
            let _end = end;
            let _lock = lock;
            let readers = readers;
            let jobs = serve(connection, Queue(queue));
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
            broken,
            outdated,
            ended,
        })
    }

    /// Starts a thread that refuses all writes, of a file that another process may write to.
    pub(crate) fn refusing(readers: Readers) -> io::Result<Self> {
        let (jobs, queue) = Jobs::queue(JOBS);
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
            broken: Arc::default(),
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

    /// Accepts nothing more.
    pub(crate) fn close(&self) {
        if let Some(commits) = &self.commits {
            commits.close();
        }
        self.jobs.close();
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

/// Does jobs while no commit waits. Group commit does them between its transactions.
async fn serve(connection: WriteConnection, queue: Queue) -> WriteConnection {
    while let Ok(job) = queue.0.recv().await {
        connection.run(job);
    }
    connection
}

/// The thread's side of the queue. A thread that panics drops the jobs that wait, and so tells
/// their callers.
struct Queue(Receiver<Job>);

impl Drop for Queue {
    fn drop(&mut self) {
        self.0.close();
        while let Ok(job) = self.0.try_recv() {
            drop(job);
        }
    }
}
