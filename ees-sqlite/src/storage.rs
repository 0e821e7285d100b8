//! The storage port on one SQLite file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchLimit, GroupCommit};
use ees_core::adapter::{Commit, News, Outcome, PageBuilder, Storage};
use ees_core::{
    Changeset, Checkpoint, Direction, GlobalPage, Head, Page, PageLimit, StorageError, StreamId,
    StreamQuery, StreamRange,
};
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePoolOptions};
use sqlx::{Connection, Sqlite, SqlitePool};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::error::translate;
use crate::lock::{WriterLock, real_path};
use crate::rows::{changeset, columns, number, timestamp};
use crate::writer::{SharedConnection, Writer};
use crate::{OpenError, SqliteConfig, opening};

/// How long a read waits for a free connection.
const READER_TIMEOUT: Duration = Duration::from_secs(5);

const HEAD: &str = "
    SELECT changeset_id, last_event_id, timestamp FROM changesets
    WHERE stream_id = ?1 ORDER BY changeset_id DESC LIMIT 1";

const NEXT_CHECKPOINT: &str = "SELECT coalesce(max(checkpoint) + 1, 0) FROM changesets";

const GLOBAL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM changesets WHERE checkpoint >= ?1 ORDER BY checkpoint LIMIT ?2"
);

/// Selects the changesets with ids from ?2 to ?3.
macro_rules! by_changeset {
    ($order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM changesets WHERE stream_id = ?1 AND changeset_id BETWEEN ?2 AND ?3
             ORDER BY changeset_id ",
            $order,
            " LIMIT ?4"
        )
    };
}

/// Selects the changesets that contain events with ids from ?2 to ?3. The changeset that contains
/// event ?3 bounds the scan of the index. A range that ends before the first event selects nothing.
macro_rules! by_event {
    ($order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM changesets WHERE stream_id = ?1 AND last_event_id >= ?2 AND last_event_id <=
                coalesce((SELECT last_event_id FROM changesets
                          WHERE stream_id = ?1 AND last_event_id >= ?3
                          ORDER BY last_event_id LIMIT 1), ?3)
              AND first_event_id <= ?3
             ORDER BY last_event_id ",
            $order,
            " LIMIT ?4"
        )
    };
}

/// A store in one SQLite file. It has one writer task with group commit, and several connections
/// that read.
#[derive(Debug)]
pub struct SqliteStorage {
    pub(crate) connection: SharedConnection,
    pub(crate) readers: SqlitePool,
    commits: GroupCommit,
    writer: Mutex<Option<JoinHandle<()>>>,
    news: Arc<News>,
    max_changeset_bytes: usize,
}

impl SqliteStorage {
    /// Opens a file and starts the writer task. Creates the file if it is missing.
    ///
    /// # Errors
    /// [`OpenError`] if the file is not an event store, has a newer schema, is in use or cannot be
    /// written. The file is then unchanged.
    ///
    /// # Panics
    /// Panics outside a tokio runtime.
    pub async fn open(config: &SqliteConfig) -> Result<Self, OpenError> {
        let path = real_path(&config.path)?;
        let lock = WriterLock::acquire(&path)?;
        let connection = opening::open_writer(&path).await?;
        let connection = Arc::new(Mutex::new(Some(connection)));
        let readers = SqlitePoolOptions::new()
            .max_connections(config.readers)
            .acquire_timeout(READER_TIMEOUT)
            .connect_lazy_with(opening::reader_options(&path));
        let news = Arc::new(News::default());
        let writer = Writer::new(Arc::clone(&connection), Arc::clone(&news));
        let (commits, run) = GroupCommit::new(writer, BatchLimit::default());
        let files = (Arc::clone(&connection), readers.clone(), lock);
        let writer = tokio::spawn(async move {
            run.await;
            give_back(files).await;
        });
        Ok(Self {
            connection,
            readers,
            commits,
            writer: Mutex::new(Some(writer)),
            news,
            max_changeset_bytes: config.max_changeset_bytes,
        })
    }

    /// Reads rows until the page is full. It requests one row more than the limit to learn whether
    /// more rows remain.
    async fn fill(
        &self,
        query: Query<'_, Sqlite, SqliteArguments>,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, StorageError> {
        let rows = i64::try_from(limit.max_items()).unwrap_or(i64::MAX - 1);
        let mut rows = query.bind(rows + 1).fetch(&self.readers);
        let mut page = PageBuilder::new(limit);
        while let Some(row) = rows.try_next().await.map_err(translate)? {
            if !page.push_changeset(changeset(&row)?) {
                break;
            }
        }
        Ok(page.finish())
    }
}

impl SqliteStorage {
    /// Runs one statement as its own transaction on the connection that writes. Returns the number
    /// of rows that it changed.
    pub(crate) async fn write(
        &self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<u64, StorageError> {
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or_else(StorageError::closed)?;
        let done = query.execute(connection).await.map_err(translate)?;
        Ok(done.rows_affected())
    }
}

#[async_trait]
impl Storage for SqliteStorage {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        self.commits.commit(commit).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        let query = sqlx::query(HEAD).bind(stream_id.as_str());
        let row = query.fetch_optional(&self.readers).await;
        let Some(row) = row.map_err(translate)? else {
            return Ok(None);
        };
        Ok(Some(Head {
            last_changeset: number(&row, 0)?,
            last_event: number(&row, 1)?,
            last_timestamp: timestamp(&row, 2)?,
        }))
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        let statement = match (&query.range, query.direction) {
            (StreamRange::Changesets(_), Direction::Forward) => by_changeset!("ASC"),
            (StreamRange::Changesets(_), Direction::Backward) => by_changeset!("DESC"),
            (StreamRange::Events(_), Direction::Forward) => by_event!("ASC"),
            (StreamRange::Events(_), Direction::Backward) => by_event!("DESC"),
        };
        let (from, to) = query.range.signed_bounds();
        let select = sqlx::query(statement)
            .bind(query.stream_id.as_str())
            .bind(from)
            .bind(to);
        self.fill(select, query.limit).await
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let select = sqlx::query(GLOBAL).bind(from.as_i64());
        let changesets = self.fill(select, limit).await?.items;
        GlobalPage::dense(from, changesets)
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        let row = sqlx::query(NEXT_CHECKPOINT).fetch_one(&self.readers).await;
        number(&row.map_err(translate)?, 0)
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
    }
}

/// Closes the connections and releases the lock, after the last commit. It runs when the storage is
/// closed or dropped. The lock is released last.
async fn give_back((connection, readers, _lock): (SharedConnection, SqlitePool, WriterLock)) {
    readers.close().await;
    if let Some(connection) = connection.lock().await.take() {
        // The last connection checkpoints the write-ahead log into the file. If it fails, the next
        // connection that opens the file does so.
        let _ = connection.close().await;
    }
}

#[cfg(test)]
mod tests;
