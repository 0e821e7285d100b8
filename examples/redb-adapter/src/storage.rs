//! The storage port.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchLimit, GroupCommit};
use ees_core::adapter::{Commit, CommitSet, News, Outcome, PageBuilder, SetOutcome, Storage};
use ees_core::{
    Changeset, Checkpoint, Direction, GlobalPage, Head, Identity, Page, PageLimit, StorageError,
    StreamId, StreamQuery, StreamRange,
};
use futures_util::future::BoxFuture;
use redb::{ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};
use tokio::sync::{Mutex, RwLock};
use tokio::task::JoinHandle;

use crate::database::{SharedDatabase, begin_write, blocking};
use crate::error::{OpenError, corrupt, translate, translate_commit};
use crate::opening;
use crate::rows::{self, changeset};
use crate::schema::{BY_CHANGESET, BY_EVENT, LOG};
use crate::writer::Writer;

/// A store in one redb file.
pub struct RedbStorage {
    database: SharedDatabase,
    commits: GroupCommit,
    writer: Mutex<Option<JoinHandle<()>>>,
    news: Arc<News>,
    max_changeset_bytes: usize,
}

impl RedbStorage {
    /// Opens a file and starts the writer task. Creates the file if it is missing.
    ///
    /// # Errors
    /// [`OpenError`] if the file is not an event store, is in use, or cannot be written.
    ///
    /// # Panics
    /// Panics outside a tokio runtime.
    pub async fn open(
        path: impl Into<PathBuf>,
        max_changeset_bytes: usize,
    ) -> Result<Self, OpenError> {
        let path = path.into();
        let opened = tokio::task::spawn_blocking(move || opening::open(&path));
        let database = opened.await.unwrap_or_else(|panic| {
            std::panic::resume_unwind(panic.into_panic());
        })?;
        let database = Arc::new(RwLock::new(Some(database)));
        let news = Arc::new(News::default());
        let writer = Writer {
            database: Arc::clone(&database),
            news: Arc::clone(&news),
            open: None,
        };
        let (commits, run) = GroupCommit::new(writer, BatchLimit::default());
        let writer = tokio::spawn(async move {
            run.await;
        });
        Ok(Self {
            database,
            commits,
            writer: Mutex::new(Some(writer)),
            news,
            max_changeset_bytes,
        })
    }

    /// Reads in one transaction, which sees one state of the whole database.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        step: impl FnOnce(&ReadTransaction) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let database = Arc::clone(&self.database).read_owned().await;
        let read = move || {
            let database = database.as_ref().ok_or_else(StorageError::closed)?;
            step(&database.begin_read().map_err(translate)?)
        };
        blocking(read).await
    }

    /// Writes in a transaction outside group commit. redb runs one write transaction after another.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        step: impl FnOnce(&WriteTransaction) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let database = Arc::clone(&self.database).read_owned().await;
        let write = move || {
            let transaction = begin_write(database.as_ref())?;
            let done = step(&transaction)?;
            transaction.commit().map_err(translate_commit)?;
            Ok(done)
        };
        blocking(write).await
    }
}

#[async_trait]
impl Storage for RedbStorage {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        self.commits.commit(commit).await
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        self.commits.commit_set(set).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        let stream_id = stream_id.clone();
        self.read(move |transaction| {
            let log = transaction.open_table(LOG).map_err(translate)?;
            let by_changeset = transaction.open_table(BY_CHANGESET).map_err(translate)?;
            rows::head(&log, &by_changeset, &stream_id)
        })
        .await
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        let query = query.clone();
        self.read(move |transaction| read_stream(transaction, &query))
            .await
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        self.read(move |transaction| read_global(transaction, from, limit))
            .await
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        self.read(|transaction| {
            let log = transaction.open_table(LOG).map_err(translate)?;
            rows::next_checkpoint(&log)
        })
        .await
    }

    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.stored_identity().await
    }

    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        let previous = previous.map(Identity::to_text);
        self.store_identity(previous, next.to_text()).await
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.news.listen()
    }

    fn max_changeset_bytes(&self) -> usize {
        self.max_changeset_bytes
    }

    async fn close(&self) {
        self.commits.close();
        if let Some(writer) = self.writer.lock().await.take() {
            // A writer that panicked has already released everything.
            let _ = writer.await;
        }
        // Waits for the running reads. Dropping the database releases the file.
        let mut database = Arc::clone(&self.database).write_owned().await;
        let _ = tokio::task::spawn_blocking(move || drop(database.take())).await;
    }
}

fn read_stream(
    transaction: &ReadTransaction,
    query: &StreamQuery,
) -> Result<Page<Changeset>, StorageError> {
    let log = transaction.open_table(LOG).map_err(translate)?;
    let stream = query.stream_id.as_str();
    let (index, from, to) = match &query.range {
        StreamRange::Changesets(ids) => (BY_CHANGESET, *ids.start(), *ids.end()),
        StreamRange::Events(ids) => {
            let by_event = transaction.open_table(BY_EVENT).map_err(translate)?;
            let to = last_event_within(&log, &by_event, stream, *ids.end())?;
            (BY_EVENT, *ids.start(), to)
        }
    };
    let mut page = PageBuilder::new(query.limit);
    if from > to {
        return Ok(page.finish());
    }
    let index = transaction.open_table(index).map_err(translate)?;
    let mut entries = index
        .range((stream, from)..=(stream, to))
        .map_err(translate)?;
    let mut next = || match query.direction {
        Direction::Forward => entries.next(),
        Direction::Backward => entries.next_back(),
    };
    while let Some(entry) = next() {
        let checkpoint = entry.map_err(translate)?.1.value();
        let found = log.get(checkpoint).map_err(translate)?;
        let found = found.ok_or_else(|| corrupt(&"an index entry has no changeset"))?;
        if !page.push_changeset(changeset(checkpoint, found.value())?) {
            break;
        }
    }
    Ok(page.finish())
}

/// The upper end of a range in the index by last event ids, for events up to `to`. The last
/// selected changeset is the one that reaches `to`, if its first event is not after `to`.
fn last_event_within(
    log: &impl ReadableTable<u64, rows::Row>,
    by_event: &impl ReadableTable<(&'static str, u64), u64>,
    stream: &str,
    to: u64,
) -> Result<u64, StorageError> {
    let mut entries = by_event
        .range((stream, to)..=(stream, u64::MAX))
        .map_err(translate)?;
    let Some(reaches) = entries.next() else {
        return Ok(to);
    };
    let (key, checkpoint) = reaches.map_err(translate)?;
    let found = log.get(checkpoint.value()).map_err(translate)?;
    let begins_within = found.is_some_and(|found| found.value().2 <= to);
    Ok(if begins_within { key.value().1 } else { to })
}

fn read_global(
    transaction: &ReadTransaction,
    from: Checkpoint,
    limit: PageLimit,
) -> Result<GlobalPage, StorageError> {
    let log = transaction.open_table(LOG).map_err(translate)?;
    let mut page = PageBuilder::new(limit);
    for entry in log.range(from.get()..).map_err(translate)? {
        let (checkpoint, row) = entry.map_err(translate)?;
        if !page.push_changeset(changeset(checkpoint.value(), row.value())?) {
            break;
        }
    }
    GlobalPage::dense(from, page.finish().items)
}
