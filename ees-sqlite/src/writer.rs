//! The transactions of group commit.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::News;
use ees_core::adapter::group_commit::{BatchStore, Snapshot};
use ees_core::{Changeset, Checkpoint, Head, StorageError, StreamId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::{translate, translate_commit};
use crate::rows::{COLUMNS, columns, number, text};

/// Selects the next checkpoint, and the heads of those streams that exist. The stream ids are
/// passed as a JSON array, and the heads are returned as a JSON array.
macro_rules! heads {
    () => {
        "
    SELECT (SELECT coalesce(max(checkpoint) + 1, 0) FROM changesets),
           json_group_array(
               json_array(head.stream_id, head.changeset_id, head.last_event_id, head.timestamp))
    FROM json_each(?1) AS wanted
    JOIN changesets AS head ON head.checkpoint = (
        SELECT checkpoint FROM changesets WHERE stream_id = wanted.value
        ORDER BY changeset_id DESC LIMIT 1)"
    };
}
#[cfg(test)]
pub(crate) const HEADS: &str = heads!();

/// Begins a transaction with the write lock, so that what it reads cannot change before the commit.
/// `BEGIN` and the query are sent together, because a call to the connection's thread costs as much
/// as a statement.
const BEGIN: &str = concat!("BEGIN IMMEDIATE;", heads!());

/// The maximum number of rows of one INSERT. Each number of rows has its own statement, which is
/// prepared once.
pub(crate) const MAX_ROWS: usize = 64;

/// The connection that writes. A task that holds it waits for nothing else. `None` once it is
/// closed.
pub(crate) type SharedConnection = Arc<Mutex<Option<SqliteConnection>>>;

/// Runs the transactions of group commit on the shared connection.
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
    /// Returns at once: the file is locked for this process, so no other writer exists.
    async fn await_turn(&mut self, _first: &StreamId) -> Result<(), StorageError> {
        Ok(())
    }

    async fn begin(&mut self, streams: &[StreamId]) -> Result<Snapshot, StorageError> {
        self.open = Some(Arc::clone(&self.connection).lock_owned().await);
        let connection = self.transaction()?;
        let names: Vec<&str> = streams.iter().map(StreamId::as_str).collect();
        let names = serde_json::to_string(&names);
        let names = names.map_err(|error| StorageError::Backend(Arc::new(error)))?;
        let rows = sqlx::query(BEGIN).bind(names).fetch_all(connection).await;
        let rows = rows.map_err(translate)?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound);
        snapshot(row.map_err(translate)?)
    }

    async fn commit(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        let connection = self.transaction()?;
        let mut rest = changesets;
        while rest.len() > MAX_ROWS {
            let (rows, later) = rest.split_at(MAX_ROWS);
            let written = execute(connection, insert(rows.len()), rows).await;
            written.map_err(translate)?;
            rest = later;
        }
        let last = format!("{}; COMMIT", insert(rest.len()));
        let committed = execute(connection, last, rest).await;
        committed.map_err(translate_commit)?;
        self.open = None;
        self.news.announce();
        Ok(())
    }

    async fn rollback(&mut self) {
        if let Some(connection) = self.open.as_mut().and_then(|open| open.as_mut()) {
            // SQLite may have rolled back already. It then reports that no transaction is open.
            let _ = sqlx::query("ROLLBACK").execute(connection).await;
        }
        self.open = None;
    }
}

/// A stream's head in the result of [`BEGIN`].
type HeadRow<'a> = (Cow<'a, str>, i64, i64, i64);

fn snapshot(row: &SqliteRow) -> Result<Snapshot, StorageError> {
    let corrupt = |error: &dyn std::fmt::Display| {
        StorageError::Corrupt(format!("the head of a stream cannot be read: {error}"))
    };
    let heads: Vec<HeadRow<'_>> =
        serde_json::from_str(text(row, 1)?).map_err(|error| corrupt(&error))?;
    let heads = heads.iter().map(|(stream_id, changeset, event, micros)| {
        let stream_id = StreamId::new(stream_id).map_err(|error| corrupt(&error))?;
        let head = Head {
            last_changeset: (*changeset).try_into().map_err(|error| corrupt(&error))?,
            last_event: (*event).try_into().map_err(|error| corrupt(&error))?,
            last_timestamp: Timestamp::from_micros(*micros).map_err(|error| corrupt(&error))?,
        };
        Ok((stream_id, head))
    });
    Ok(Snapshot {
        heads: heads.collect::<Result<_, StorageError>>()?,
        next_checkpoint: number(row, 0)?,
    })
}

/// The statement that inserts this number of rows.
fn insert(rows: usize) -> String {
    let row = format!("({})", ["?"; COLUMNS].join(", "));
    let rows = vec![row; rows].join(", ");
    format!(
        concat!("INSERT INTO changesets (", columns!(), ") VALUES {}"),
        rows
    )
}

async fn execute(
    connection: &mut SqliteConnection,
    statement: String,
    changesets: &[Changeset],
) -> Result<(), sqlx::Error> {
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
