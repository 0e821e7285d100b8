//! The writing side: group commit's transaction.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use ees_core::group_commit::{BatchStore, Snapshot};
use ees_core::ports::{News, StorageError};
use ees_core::{Changeset, Checkpoint, Head, StreamId};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::{translate, translate_commit};
use crate::rows::{COLUMNS, columns, number, text, timestamp};

/// Takes the write lock at once, so that what is read inside cannot change before the commit.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// The ends of the streams in a JSON array, and the next checkpoint beside each.
pub(crate) const HEADS: &str = "
    SELECT wanted.value, head.changeset_id, head.last_event_id, head.timestamp,
           (SELECT coalesce(max(checkpoint) + 1, 0) FROM changesets)
    FROM json_each(?1) AS wanted
    LEFT JOIN changesets AS head ON head.checkpoint = (
        SELECT checkpoint FROM changesets WHERE stream_id = wanted.value
        ORDER BY changeset_id DESC LIMIT 1)";

/// How many rows one INSERT takes: few different statements, so that each is prepared once.
const ROWS_PER_INSERT: [usize; 4] = [64, 16, 4, 1];

/// The connection that writes; nobody holds it across a wait for anything else. `None` once closed.
pub(crate) type SharedConnection = Arc<Mutex<Option<SqliteConnection>>>;

/// Group commit's transactions on the shared connection.
pub(crate) struct Writer {
    connection: SharedConnection,
    open: Option<OwnedMutexGuard<Option<SqliteConnection>>>,
    news: Arc<News>,
}

impl Writer {
    pub(crate) fn new(connection: SharedConnection, news: Arc<News>) -> Self {
        Self {
            connection,
            open: None,
            news,
        }
    }

    fn transaction(&mut self) -> Result<&mut SqliteConnection, StorageError> {
        let guard = self.open.as_mut().ok_or_else(StorageError::closed)?;
        guard.as_mut().ok_or_else(StorageError::closed)
    }
}

#[async_trait]
impl BatchStore for Writer {
    async fn begin(&mut self, streams: &[StreamId]) -> Result<Snapshot, StorageError> {
        self.open = Some(Arc::clone(&self.connection).lock_owned().await);
        let connection = self.transaction()?;
        let begun = sqlx::query(BEGIN).execute(&mut *connection).await;
        begun.map_err(translate)?;
        let names: Vec<&str> = streams.iter().map(StreamId::as_str).collect();
        let names = serde_json::to_string(&names);
        let names = names.map_err(|error| StorageError::Backend(Arc::new(error)))?;
        let rows = sqlx::query(HEADS).bind(names).fetch_all(connection).await;
        snapshot(&rows.map_err(translate)?)
    }

    async fn write(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        let connection = self.transaction()?;
        let mut rest = changesets;
        while !rest.is_empty() {
            let fits = ROWS_PER_INSERT.iter().find(|rows| **rows <= rest.len());
            let (rows, later) = rest.split_at(*fits.unwrap_or(&rest.len()));
            insert(connection, rows).await.map_err(translate)?;
            rest = later;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), StorageError> {
        let connection = self.transaction()?;
        let committed = sqlx::query("COMMIT").execute(connection).await;
        committed.map_err(translate_commit)?;
        self.open = None;
        self.news.announce();
        Ok(())
    }

    async fn rollback(&mut self) {
        if let Some(connection) = self.open.as_mut().and_then(|open| open.as_mut()) {
            // SQLite may have rolled back by itself, and then says that nothing is open.
            let _ = sqlx::query("ROLLBACK").execute(connection).await;
        }
        self.open = None;
    }
}

fn snapshot(rows: &[SqliteRow]) -> Result<Snapshot, StorageError> {
    let mut heads = HashMap::new();
    let mut next_checkpoint = Checkpoint::FIRST;
    for row in rows {
        next_checkpoint = number(row, 4)?;
        let exists = row.try_get::<Option<i64>, _>(1).map_err(translate)?;
        if exists.is_some() {
            let stream_id = StreamId::new(text(row, 0)?);
            let stream_id = stream_id.map_err(|e| StorageError::Corrupt(e.to_string()))?;
            heads.insert(
                stream_id,
                Head {
                    last_changeset: number(row, 1)?,
                    last_event: number(row, 2)?,
                    last_timestamp: timestamp(row, 3)?,
                },
            );
        }
    }
    Ok(Snapshot {
        heads,
        next_checkpoint,
    })
}

async fn insert(
    connection: &mut SqliteConnection,
    changesets: &[Changeset],
) -> Result<(), sqlx::Error> {
    let row = format!("({})", ["?"; COLUMNS].join(", "));
    let rows = vec![row; changesets.len()].join(", ");
    let statement = format!(
        concat!("INSERT INTO changesets (", columns!(), ") VALUES {}"),
        rows
    );
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for changeset in changesets {
        query = query
            .bind(changeset.checkpoint.map(Checkpoint::as_i64))
            .bind(changeset.stream_id.as_str())
            .bind(changeset.changeset_id.as_i64())
            .bind(changeset.first_event_id.as_i64())
            .bind(changeset.last_event_id.as_i64())
            .bind(changeset.timestamp.as_micros())
            .bind(changeset.commit_id.as_str())
            .bind(changeset.metadata.as_str())
            .bind(changeset.events.as_str());
    }
    query.execute(connection).await?;
    Ok(())
}
