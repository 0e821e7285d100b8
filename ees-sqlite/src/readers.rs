//! The threads that read, each with a connection of its own.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread::JoinHandle;

use async_channel::Receiver;
use rusqlite::Connection;

use crate::connect::{Reader, open_to_read};
use crate::error::translate;
use crate::halt::Halt;
use crate::jobs::{Job, Jobs};
use crate::threads;

/// The threads, as the one who ends them has them.
#[derive(Debug)]
pub(crate) struct Readers {
    queue: Receiver<Job>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts so many threads. Each opens its connection when it gets its first job.
    pub(crate) fn start(path: &Path, count: u32, halt: &Halt) -> io::Result<(Jobs, Self)> {
        let count = usize::try_from(count).unwrap_or(1).max(1);
        let (jobs, queue) = Jobs::queue(count, halt);
        let mut readers = Self {
            queue,
            threads: Vec::with_capacity(count),
        };
        for _ in 0..count {
            let (path, queue) = (path.to_owned(), readers.queue.clone());
            let thread = threads::start("ees-sqlite-read", move || serve(&path, &queue))?;
            readers.threads.push(thread);
        }
        Ok((jobs, readers))
    }
}

impl Drop for Readers {
    /// Waits until all accepted jobs are done and all connections are closed.
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // A panic of a job does not end its thread.
            let _ = thread.join();
        }
    }
}

fn serve(path: &Path, queue: &Receiver<Job>) {
    let mut connection = None;
    while let Ok(job) = queue.recv_blocking() {
        // The job's caller is told when the job drops its answer.
        let done = catch_unwind(AssertUnwindSafe(|| answer(path, &mut connection, job)));
        if done.is_err() {
            connection = None;
        }
    }
}

fn answer(path: &Path, connection: &mut Option<Connection>, job: Job) {
    if let Some(connection) = connection {
        return job(Ok(connection));
    }
    match open_to_read(path) {
        // It is for this job alone: a log may be made at any time.
        Ok(Reader::Immutable(reader)) => job(Ok(&reader)),
        Ok(Reader::Lasting(reader)) => job(Ok(connection.insert(reader))),
        Err(error) => job(Err(translate(error))),
    }
}

#[cfg(test)]
mod tests;
