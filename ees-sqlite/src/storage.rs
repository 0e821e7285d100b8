//! The storage port on one SQLite file.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use ees_core::adapter::{Commit, CommitSet, News, Outcome, SetOutcome, Storage};
use ees_core::{
    Changeset, Checkpoint, Filter, GlobalPage, Head, Identity, Page, PageLimit, StorageError,
    StreamId, StreamQuery,
};
use futures_util::future::BoxFuture;
use rusqlite::{Params, Transaction, TransactionBehavior};

use crate::error::{is_failed_flush, translate};
use crate::filtered::filtered;
use crate::halt::Halt;
use crate::jobs::Jobs;
use crate::lock::{WriterLock, real_path};
use crate::ours::mark;
use crate::readers::Readers;
use crate::remembered::Memory;
use crate::writer::WriteConnection;
use crate::writer_thread::WriterThread;
use crate::{OpenError, SqliteConfig, identity, opening, reads, state, stream_page, threads};

/// A store in one SQLite file. One thread writes, with group commit, and several threads read. It
/// can be used on any async runtime.
#[derive(Debug)]
pub struct SqliteStorage {
    pub(crate) writer: WriterThread,
    pub(crate) readers: Jobs,
    halt: Halt,
    /// What the lock file says of the store; `None` if the file is opened to read.
    memory: Option<Memory>,
    pub(crate) news: Arc<News>,
    max_changeset_bytes: usize,
}

impl SqliteStorage {
    /// Opens a file and starts the threads. Creates the file if it is missing.
    ///
    /// # Errors
    /// [`OpenError`] if the file is not an event store, has a newer schema, is in use or cannot be
    /// written. The file is then unchanged.
    pub async fn open(config: &SqliteConfig) -> Result<Self, OpenError> {
        let path = real_path(&config.path)?;
        let no_thread = |error| OpenError::NotWritable {
            path: path.clone(),
            reason: format!("a thread could not be run: {error}"),
        };
        let lock = WriterLock::acquire(&path)?;
        let file = path.clone();
        // The lock goes with the connection: it must not end first if the caller goes away.
        let open = move || opening::open_writer(&file, &lock).map(|opened| (opened, lock));
        let opened = threads::run("ees-sqlite-open", open).await;
        let (opened, lock) = opened.map_err(no_thread)??;
        let (halt, memory) = (Halt::default(), lock.memory.clone());
        let connection = WriteConnection::new(&path, opened, halt.clone(), memory.clone());
        let (jobs, readers) = Readers::start(&path, config.readers, &halt).map_err(no_thread)?;
        let news = Arc::new(News::default());
        let writer = WriterThread::start(
            path.clone(),
            connection,
            lock,
            (jobs.clone(), readers),
            Arc::clone(&news),
        );
        Ok(Self {
            writer: writer.map_err(no_thread)?,
            readers: jobs,
            halt,
            memory: Some(memory),
            news,
            max_changeset_bytes: config.max_changeset_bytes,
        })
    }

    /// Opens an existing file to read it, beside the process that may serve it. It sees every commit of
    /// that process. All writes fail.
    ///
    /// # Errors
    /// [`OpenError`] if the file is missing, is not an event store, or has another schema than this
    /// version's.
    pub async fn open_to_read(config: &SqliteConfig) -> Result<Self, OpenError> {
        let path = real_path(&config.path)?;
        let no_thread = |error| OpenError::NotWritable {
            path: path.clone(),
            reason: format!("a thread could not be run: {error}"),
        };
        let file = path.clone();
        let check = move || opening::check_readable(&file);
        let checked = threads::run("ees-sqlite-open", check).await;
        checked.map_err(no_thread)??;
        let halt = Halt::default();
        let (jobs, readers) = Readers::start(&path, config.readers, &halt).map_err(no_thread)?;
        Ok(Self {
            writer: WriterThread::refusing(readers, &halt).map_err(no_thread)?,
            readers: jobs,
            halt,
            memory: None,
            news: Arc::default(),
            max_changeset_bytes: config.max_changeset_bytes,
        })
    }

    /// Runs one statement that shares its transaction with others. Returns the number of rows that it
    /// changed.
    pub(crate) async fn write(
        &self,
        statement: &'static str,
        params: impl Params + Send + 'static,
    ) -> Result<usize, StorageError> {
        let write = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(statement)?;
            statement.execute(params)
        };
        self.writer.write(write).await
    }

    /// Writes in one transaction on the connection that writes, or nothing if `write` fails.
    pub(crate) async fn write_or_undo<T: Send + 'static>(
        &self,
        write: impl FnOnce(&rusqlite::Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.write_or_undo_by(&self.writer.jobs, write).await
    }

    /// The same, of the verifiable log: if it is damaged, commits and reads go on.
    pub(crate) async fn write_log<T: Send + 'static>(
        &self,
        write: impl FnOnce(&rusqlite::Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let jobs = self.writer.jobs.apart();
        self.write_or_undo_by(&jobs, write).await
    }

    async fn write_or_undo_by<T: Send + 'static>(
        &self,
        jobs: &Jobs,
        write: impl FnOnce(&rusqlite::Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let halt = self.halt.clone();
        let write = move |connection: &_| {
            let immediate = TransactionBehavior::Immediate;
            // Dropped without a commit, it rolls back.
            let transaction = Transaction::new_unchecked(connection, immediate);
            let transaction = transaction.map_err(translate)?;
            let written = write(&transaction)?;
            let committed = transaction.commit();
            committed.map_err(|error| translate_write(&halt, error))?;
            Ok(written)
        };
        jobs.run(write).await
    }

    /// The same, of what group commit remembers: it reads that anew.
    pub(crate) async fn write_unknown<T: Send + 'static>(
        &self,
        write: impl FnOnce(&rusqlite::Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let outdated = Arc::clone(&self.writer.outdated);
        self.write_or_undo(move |connection| {
            outdated.store(true, Ordering::Relaxed);
            write(connection)
        })
        .await
    }
}

/// Translates an error of a write. After a failed flush nothing more is written.
fn translate_write(halt: &Halt, error: rusqlite::Error) -> StorageError {
    if is_failed_flush(&error) {
        halt.flush_failed();
    }
    translate(error)
}

#[async_trait]
impl Storage for SqliteStorage {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        self.writer.commit(commit).await
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        self.writer.commit_set(set).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        let stream_id = stream_id.clone();
        let read = move |connection: &_| reads::head(connection, &stream_id);
        self.readers.run(read).await
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        let query = query.clone();
        let read = move |connection: &_| stream_page::stream(connection, &query);
        self.readers.run(read).await
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let read = move |connection: &_| reads::global(connection, from, limit);
        self.readers.run(read).await
    }

    async fn read_filtered(
        &self,
        from: Checkpoint,
        limit: PageLimit,
        filter: &Filter,
    ) -> Result<GlobalPage, StorageError> {
        let filter = filter.clone();
        let read = move |connection: &_| filtered(connection, from, limit, &filter);
        self.readers.run(read).await
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        self.readers.run(state::end).await
    }

    fn check_sound(&self) -> Result<(), StorageError> {
        self.halt.check()
    }

    async fn check_writable(&self) -> Result<(), StorageError> {
        self.writer.write(mark).await
    }

    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.readers.run(identity::load).await
    }

    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        let (id, next) = (next.id, next.to_text());
        let changed = match previous.map(Identity::to_text) {
            None if self.memory.is_none() => return Err(identity::missing()),
            None => self.write(identity::STORE, [next]).await?,
            Some(previous) => self.write(identity::REPLACE, [next, previous]).await?,
        };
        if let Some(memory) = self.memory.as_ref().filter(|_| changed == 1) {
            memory.store(id);
        }
        Ok(changed == 1)
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.news.listen()
    }

    fn max_changeset_bytes(&self) -> usize {
        self.max_changeset_bytes
    }

    async fn close(&self) {
        self.writer.close();
        self.readers.close();
        self.writer.ended().await;
    }
}

#[cfg(test)]
mod tests;
