//! The storage port on PostgreSQL.

use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchLimit, GroupCommit};
use ees_core::adapter::{Commit, CommitSet, Outcome, PageBuilder, SetOutcome, Storage};
use ees_core::{
    Changeset, Checkpoint, Direction, Filter, GlobalPage, Head, Identity, Page, PageLimit,
    StorageError, StreamId, StreamQuery, StreamRange,
};
use futures_util::future::BoxFuture;
use sqlx::postgres::PgRow;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::error::translate;
use crate::exclusive::Exclusive;
use crate::readers::{Readers, Statement};
use crate::rows::{changeset, columns, head, number};
use crate::session::Sessions;
use crate::wake::Wake;
use crate::writer::Writer;
use crate::{OpenError, PostgresConfig, opening};

const HEAD: &str = r#"
    SELECT changeset_id, last_event_id, "timestamp" FROM changesets
    WHERE stream_id = $1 ORDER BY changeset_id DESC LIMIT 1"#;

const NEXT_CHECKPOINT: &str = "SELECT coalesce(max(checkpoint) + 1, 0) FROM changesets";

/// The same. A standby, to which a pool may connect after a failover, returns no row: it may lag.
const CERTAIN_END: &str = "SELECT coalesce(max(checkpoint) + 1, 0) FROM changesets
    HAVING NOT pg_is_in_recovery()";

/// Selects a page of rows, in an order that is unique: at most $1 rows, up to and including the row
/// with which the sum of the payloads exceeds $2 bytes. The rows after it are not sent, and large
/// payloads of these rows are not even read.
macro_rules! page {
    ($rows:literal, $order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM (SELECT ",
            columns!(),
            ", sum(payload_bytes) OVER (ORDER BY ",
            $order,
            " ROWS UNBOUNDED PRECEDING) - payload_bytes AS bytes_before
                FROM (SELECT * FROM changesets WHERE ",
            $rows,
            " ORDER BY ",
            $order,
            " LIMIT $1) AS rows) AS page WHERE bytes_before <= $2 ORDER BY ",
            $order
        )
    };
}

const GLOBAL: &str = page!("checkpoint >= $3", "checkpoint");

/// Selects the changesets with ids from $4 to $5.
macro_rules! by_changeset {
    ($order:literal) => {
        page!("stream_id = $3 AND changeset_id BETWEEN $4 AND $5", $order)
    };
}

/// Selects the changesets that contain events with ids from $4 to $5. The changeset that contains
/// event $5 bounds the scan of the index. A range that ends before the first event selects nothing.
macro_rules! by_event {
    ($order:literal) => {
        page!(
            "stream_id = $3 AND last_event_id >= $4 AND last_event_id <=
                coalesce((SELECT last_event_id FROM changesets
                          WHERE stream_id = $3 AND last_event_id >= $5
                          ORDER BY last_event_id LIMIT 1), $5)
              AND first_event_id <= $5",
            $order
        )
    };
}

const CHANGESETS: &str = by_changeset!("changeset_id");
const CHANGESETS_BACKWARD: &str = by_changeset!("changeset_id DESC");
const EVENTS: &str = by_event!("last_event_id");
const EVENTS_BACKWARD: &str = by_event!("last_event_id DESC");

/// The maximum number of rows of a page that one statement requests.
pub(crate) const MAX_ROWS: usize = 4000;

/// A store in a schema of a PostgreSQL database. It has one writer task with group commit, several
/// connections that read, and one connection that listens for the commits of other servers.
#[derive(Debug)]
pub struct PostgresStorage {
    readers: Arc<Readers>,
    commits: GroupCommit,
    writer: Mutex<Option<JoinHandle<()>>>,
    pub(crate) wake: Wake,
    pub(crate) exclusive: Exclusive,
    max_changeset_bytes: usize,
}

impl PostgresStorage {
    /// Opens a store and starts its tasks. Creates the store if it is missing.
    ///
    /// # Errors
    /// [`OpenError`] if the database cannot be reached or is not suitable, or if the schema belongs
    /// to another program or is newer. The database is then unchanged.
    ///
    /// # Panics
    /// Panics outside a tokio runtime.
    pub async fn open(config: &PostgresConfig) -> Result<Self, OpenError> {
        let sessions = Sessions::new(config);
        opening::prepare(config, &sessions).await?;
        let readers = Arc::new(Readers::new(sessions.clone(), config.readers));
        let (wake, tasks) = Wake::start(config, &sessions, &readers);
        let (commits, run) = GroupCommit::new(
            Writer::new(sessions.clone(), wake.clone()),
            BatchLimit::default(),
        );
        let lent = Arc::clone(&readers);
        // Runs until the storage is closed or dropped, and then closes the connections.
        let writer = tokio::spawn(async move {
            run.await.close().await;
            drop(tasks);
            lent.close().await;
        });
        Ok(Self {
            readers,
            commits,
            writer: Mutex::new(Some(writer)),
            wake,
            exclusive: Exclusive::new(sessions),
            max_changeset_bytes: config.max_changeset_bytes,
        })
    }

    /// Runs a statement on one of the readers.
    pub(crate) async fn all<'q>(
        &self,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<Vec<PgRow>, StorageError> {
        self.readers.all(statement).await.map_err(translate)
    }

    /// Like [`all`](Self::all), for a statement that returns at most one row.
    pub(crate) async fn one<'q>(
        &self,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<Option<PgRow>, StorageError> {
        Ok(self.all(statement).await?.pop())
    }

    /// Reads one part of a page of a stream: the rows that one statement requests.
    async fn read_part(
        &self,
        query: &StreamQuery,
        filling: &Filling,
    ) -> Result<Vec<Changeset>, StorageError> {
        let statement = match (&query.range, query.direction) {
            (StreamRange::Changesets(_), Direction::Forward) => CHANGESETS,
            (StreamRange::Changesets(_), Direction::Backward) => CHANGESETS_BACKWARD,
            (StreamRange::Events(_), Direction::Forward) => EVENTS,
            (StreamRange::Events(_), Direction::Backward) => EVENTS_BACKWARD,
        };
        let (from, to) = query.range.signed_bounds();
        let stream_id = query.stream_id.as_str();
        let statement = || filling.ask(statement).bind(stream_id).bind(from).bind(to);
        let rows = self.all(statement).await?;
        rows.iter().map(changeset).collect()
    }
}

#[async_trait]
impl Storage for PostgresStorage {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        self.commits.commit(commit).await
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        self.commits.commit_set(set).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        let statement = || sqlx::query(HEAD).bind(stream_id.as_str());
        let row = self.one(statement).await?;
        row.map(|row| head(&row, 0)).transpose()
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        let mut filling = Filling::new(query.limit);
        let mut query = query.clone();
        loop {
            let part = Page {
                items: self.read_part(&query, &filling).await?,
                more: true,
            };
            let next = query.next_page(&part);
            match next {
                Some(next) if filling.take(part.items) => query = next,
                _ => return Ok(filling.page.finish()),
            }
        }
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut filling = Filling::new(limit);
        let mut next = from;
        loop {
            let statement = || filling.ask(GLOBAL).bind(next.as_i64());
            let rows = self.all(statement).await?;
            let part = rows.iter().map(changeset).collect::<Result<Vec<_>, _>>()?;
            let last = part.last().and_then(|last| last.checkpoint);
            next = last.map_or(next, |last| last.plus(1));
            if !filling.take(part) {
                return self.page(from, filling.page.finish().items).await;
            }
        }
    }

    async fn read_filtered(
        &self,
        from: Checkpoint,
        limit: PageLimit,
        filter: &Filter,
    ) -> Result<GlobalPage, StorageError> {
        self.filtered(from, limit, filter).await
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        let row = self.one(|| sqlx::query(NEXT_CHECKPOINT)).await?;
        row.map_or(Ok(Checkpoint::FIRST), |row| number(&row, 0))
    }

    async fn certain_end(&self) -> Result<Option<Checkpoint>, StorageError> {
        let row = self.one(|| sqlx::query(CERTAIN_END)).await?;
        row.map(|row| number(&row, 0)).transpose()
    }

    async fn check_writable(&self) -> Result<(), StorageError> {
        let write = "UPDATE statistics SET version = version RETURNING version";
        self.one(|| sqlx::query(write)).await.map(drop)
    }

    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.stored_identity().await
    }

    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        self.store_identity(previous, next).await
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.wake.news.listen()
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
        self.exclusive.close().await;
    }
}

/// A page that is read in parts.
struct Filling {
    page: PageBuilder<Changeset>,
    /// How many more rows and bytes the page can hold.
    rows: usize,
    bytes: usize,
}

impl Filling {
    fn new(limit: PageLimit) -> Self {
        Self {
            page: PageBuilder::new(limit),
            rows: limit.max_items(),
            bytes: limit.bytes,
        }
    }

    /// How many rows to request: one more than fit, to learn whether more rows remain.
    fn wanted(&self) -> usize {
        self.rows.min(MAX_ROWS) + 1
    }

    fn ask<'q>(&self, statement: &'static str) -> Statement<'q> {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        sqlx::query(statement)
            .bind(number(self.wanted()))
            .bind(number(self.bytes))
    }

    /// Adds a part to the page. Returns whether another part must be read.
    fn take(&mut self, part: Vec<Changeset>) -> bool {
        let is_all = part.len() < self.wanted();
        let bytes = part.iter().map(Changeset::payload_bytes).sum::<usize>();
        let is_cut = bytes > self.bytes;
        self.rows = self.rows.saturating_sub(part.len());
        self.bytes = self.bytes.saturating_sub(bytes);
        let fits = part.into_iter().all(|item| self.page.push_changeset(item));
        fits && (is_cut || !is_all)
    }
}

#[cfg(test)]
mod tests;
