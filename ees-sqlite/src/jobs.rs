//! Work for a thread that has a connection, and the answer to the one who asked.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use async_channel::{Receiver, Sender, TrySendError};
use ees_core::{StorageError, Written};
use futures_channel::oneshot;
use futures_timer::Delay;
use futures_util::future::{Either, select};
use rusqlite::Connection;

use crate::halt::Halt;

/// How long a job waits for a place in the queue.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A job gets the thread's connection, or the reason why there is none.
pub(crate) type Job = Box<dyn FnOnce(Result<&Connection, StorageError>) + Send>;

/// The callers' side of a queue of jobs.
pub(crate) struct Jobs<J = Job> {
    queue: Sender<J>,
    timeout: Duration,
    /// Gets to know the damage that jobs find.
    halt: Halt,
}

impl<J> fmt::Debug for Jobs<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl<J> Clone for Jobs<J> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            timeout: self.timeout,
            halt: self.halt.clone(),
        }
    }
}

impl<J> Jobs<J> {
    /// A queue with so many places.
    pub(crate) fn queue(places: usize, halt: &Halt) -> (Self, Receiver<J>) {
        let (jobs, queue) = async_channel::bounded(places.max(1));
        let jobs = Self {
            queue: jobs,
            timeout: TIMEOUT,
            halt: halt.clone(),
        };
        (jobs, queue)
    }

    /// Hands a job in.
    pub(crate) async fn send(&self, job: J) -> Result<(), StorageError> {
        match self.queue.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(StorageError::closed()),
            Err(TrySendError::Full(job)) => self.wait_to_send(job).await,
        }
    }

    async fn wait_to_send(&self, job: J) -> Result<(), StorageError> {
        let sent = pin!(self.queue.send(job));
        match select(sent, Delay::new(self.timeout)).await {
            Either::Left((sent, _)) => sent.map_err(|_| StorageError::closed()),
            Either::Right(_) => Err(StorageError::unavailable(
                "too many calls at once",
                Written::None,
            )),
        }
    }

    /// The same queue, for jobs whose damage is not that of the changesets.
    pub(crate) fn apart(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            timeout: self.timeout,
            halt: Halt::default(),
        }
    }

    /// The same queue, in which a job waits so long for a place.
    #[cfg(test)]
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// What gets to know the damage that jobs find.
    pub(crate) fn halt(&self) -> &Halt {
        &self.halt
    }

    /// Accepts no more jobs.
    pub(crate) fn close(&self) {
        self.queue.close();
    }
}

impl Jobs {
    /// Runs work on a connection. If the caller goes away before the work begins, it is not done.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (answer, answered) = oneshot::channel();
        let halt = self.halt.clone();
        let job: Job = Box::new(move |connection| {
            if !answer.is_canceled() {
                let done = connection.and_then(work);
                // The caller may have gone in the meantime.
                let _ = answer.send(done.inspect_err(|error| halt.note(error)));
            }
        });
        self.send(job).await?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }
}

/// The error of a job whose thread ended before it answered.
pub(crate) fn lost() -> StorageError {
    StorageError::unavailable("the connection to the file was lost", Written::Unknown)
}
