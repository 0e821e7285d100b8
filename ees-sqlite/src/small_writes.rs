//! Small writes that share a transaction: those that wait when group commit writes a batch go with it, and so
//! with its flush.

use async_channel::Receiver;
use ees_core::{StorageError, Written};
use futures_channel::oneshot;
use rusqlite::Connection;

use crate::error::{is_damage, is_failed_flush, translate, translate_commit};
use crate::halt::Halt;
use crate::jobs::{Jobs, lost};
use crate::transaction::{self, execute};

/// A write in the open transaction, or the reason why there is none.
pub(crate) type SmallWrite = Box<dyn FnOnce(Result<&Connection, StorageError>) -> Answer + Send>;

/// Gets what became of the transaction, and answers.
pub(crate) type Answer = Box<dyn FnOnce(Result<(), StorageError>) + Send>;

impl Jobs<SmallWrite> {
    /// Runs a write in a transaction with others, or nothing of it if it fails. If the caller goes away before
    /// the write begins, it is not done.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (answer, answered) = oneshot::channel();
        let halt = self.halt().clone();
        let small_write: SmallWrite = Box::new(move |connection| {
            let is_asked = !answer.is_canceled();
            let written = connection.and_then(|connection| {
                let written = is_asked.then(|| alone(connection, &halt, write));
                written.transpose()
            });
            Box::new(move |committed| {
                // The caller may have gone in the meantime.
                let _ = answer.send(written.and_then(|written| committed.map(|()| written)));
            })
        });
        self.send(small_write).await?;
        match answered.await {
            Ok(Ok(Some(written))) => Ok(written),
            Ok(Err(error)) => Err(error),
            Ok(Ok(None)) | Err(_) => Err(lost()),
        }
    }
}

/// Runs a write inside the open transaction, which it leaves as it was if it fails.
fn alone<T>(
    connection: &Connection,
    halt: &Halt,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StorageError> {
    check_open(connection)?;
    let written = savepoint(connection, write);
    written.map_err(|error| told(halt, error, translate))
}

fn savepoint<T>(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    execute(connection, "SAVEPOINT small_write")?;
    let written = write(connection);
    // After some errors SQLite has rolled the whole transaction back.
    if !connection.is_autocommit() {
        if written.is_err() {
            execute(connection, "ROLLBACK TO small_write")?;
        }
        execute(connection, "RELEASE small_write")?;
    }
    written
}

/// Commits the open transaction.
pub(crate) fn commit(connection: &Connection, halt: &Halt) -> Result<(), StorageError> {
    check_open(connection)?;
    let committed = execute(connection, "COMMIT");
    committed.map_err(|error| told(halt, error, translate_commit))
}

/// Refuses to go on in a transaction that SQLite has rolled back, because of an error of another write in it.
fn check_open(connection: &Connection) -> Result<(), StorageError> {
    if connection.is_autocommit() {
        let reason = "another write of its transaction failed";
        return Err(StorageError::unavailable(reason, Written::None));
    }
    Ok(())
}

/// The writes that wait now.
fn all(waiting: &Receiver<SmallWrite>) -> impl Iterator<Item = SmallWrite> {
    (0..waiting.len()).map_while(|_| waiting.try_recv().ok())
}

/// Runs the writes that wait in the open transaction.
pub(crate) fn along(connection: &Connection, waiting: &Receiver<SmallWrite>) -> Vec<Answer> {
    all(waiting).map(|write| write(Ok(connection))).collect()
}

/// Runs a write, and those that wait, in a transaction of their own; or tells all of them why there is no
/// connection.
pub(crate) fn by_themselves(
    connection: Result<&Connection, StorageError>,
    halt: &Halt,
    first: Option<SmallWrite>,
    waiting: &Receiver<SmallWrite>,
) {
    let writes: Vec<SmallWrite> = first.into_iter().chain(all(waiting)).collect();
    if writes.is_empty() {
        return;
    }
    let begin = |connection| {
        let begun = execute(connection, "BEGIN IMMEDIATE");
        begun.map_err(|error| told(halt, error, translate))?;
        Ok(connection)
    };
    match connection.and_then(begin) {
        Ok(connection) => {
            let written = writes.into_iter().map(|write| write(Ok(connection)));
            let answers: Vec<Answer> = written.collect();
            let committed = commit(connection, halt);
            transaction::end(connection);
            for answer in answers {
                answer(committed.clone());
            }
        }
        Err(error) => {
            for write in writes {
                write(Err(error.clone()))(Ok(()));
            }
        }
    }
}

/// Translates an error. After a failed flush nothing more is written, and after damage no commit.
fn told(
    halt: &Halt,
    error: rusqlite::Error,
    translate: fn(rusqlite::Error) -> StorageError,
) -> StorageError {
    if is_failed_flush(&error) {
        halt.flush_failed();
    } else if is_damage(&error) {
        halt.note(&StorageError::Corrupt(error.to_string()));
    }
    translate(error)
}

#[cfg(test)]
mod tests;
