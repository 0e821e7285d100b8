//! The transactions of group commit. A batch takes four round trips. It takes three if it has no keys
//! of clients and this session wrote the ends of its streams ([`ends`]), and a single commit takes two
//! ([`alone`]).
//!
//! A lock keeps the order dense with any number of servers. A transaction takes it first, in a
//! statement of its own. PostgreSQL releases the locks of a transaction only after its effects are
//! visible, and at READ COMMITTED every statement sees what was committed before it began. So all
//! later statements see everything that the last holder of the lock committed. This includes a
//! transaction whose answer to COMMIT was lost: the next holder of the lock sees whether it was
//! committed.

mod alone;
mod ends;
mod snapshot;

use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchStore, Snapshot};
use ees_core::adapter::{ClientKey, Commit};
use ees_core::{Changeset, Checkpoint, StorageError, StreamId};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::error::{is_connection_lost, translate, translate_commit};
use crate::rows::columns;
use crate::session::{Sessions, patiently};
use crate::wake::Wake;
use ends::Ends;
pub(crate) use snapshot::snapshot;

macro_rules! heads {
    () => {
        r#"
    SELECT next.checkpoint, head.stream_id, head.changeset_id, head.last_event_id, head."timestamp",
           (SELECT moved_to FROM fence WHERE id = 1) AS moved_to
    FROM (SELECT coalesce(max(checkpoint) + 1, 0) AS checkpoint FROM changesets) AS next
    LEFT JOIN (
        unnest($1::text[]) AS wanted (stream_id)
        CROSS JOIN LATERAL (
            SELECT stream_id, changeset_id, last_event_id, "timestamp" FROM changesets
            WHERE changesets.stream_id = wanted.stream_id
            ORDER BY changeset_id DESC LIMIT 1) AS head
    ) ON true"#
    };
}

/// Selects the next checkpoint, the heads of those streams that exist, and the fence. If no stream
/// exists, one row has the checkpoint and the fence, and no head.
pub(crate) const HEADS: &str = heads!();

/// Selects the rows of [`HEADS`], and a row for each of these clients' keys that stands: its first
/// changeset. A row of a key has no checkpoint. The condition on the beginning of a key is that of the
/// index. One statement costs one round trip while the lock is held.
pub(crate) const HEADS_AND_KEYS: &str = concat!(
    "SELECT heads.*, NULL AS commit_id FROM (",
    heads!(),
    ") AS heads
    UNION ALL
    SELECT NULL, found.stream_id, found.changeset_id, NULL, NULL, NULL, found.commit_id
    FROM unnest($2::text[], $3::text[]) AS wanted (stream_id, commit_id)
    CROSS JOIN LATERAL (
        SELECT stream_id, commit_id, changeset_id FROM changesets
        WHERE hashtextextended(changesets.commit_id, hashtextextended(changesets.stream_id, 0))
              = hashtextextended(wanted.commit_id, hashtextextended(wanted.stream_id, 0))
          AND changesets.stream_id = wanted.stream_id AND changesets.commit_id = wanted.commit_id
          AND left(changesets.commit_id, 4) <> 'ees-'
        ORDER BY changeset_id LIMIT 1) AS found"
);

/// The number of columns of a row of [`HEADS`] and of [`HEADS_AND_KEYS`].
const HEAD_COLUMNS: usize = 6;
const KEY_COLUMNS: usize = 7;

const INSERT: &str = concat!(
    "INSERT INTO changesets (",
    columns!(),
    ", payload_bytes, event_types)
    SELECT checkpoint, stream_id, changeset_id, first_event_id, last_event_id, \"timestamp\",
           commit_id, metadata::json, events::json, set_mark,
           octet_length(metadata) + octet_length(events), event_types
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]) AS new (",
    columns!(),
    ", event_types)"
);

const ROLLBACK: &str = "ROLLBACK";

/// Runs the transactions of group commit on its own connection.
pub(crate) struct Writer {
    sessions: Sessions,
    wake: Wake,
    /// The session between two transactions.
    idle: Option<Session>,
    /// The open transaction. If a statement fails, the connection is dropped, which rolls the
    /// transaction back.
    open: Option<Open>,
}

/// A connection, and what it knows of the streams that it wrote.
struct Session {
    connection: PgConnection,
    ends: Ends,
}

/// A transaction that holds the lock.
struct Open {
    session: Session,
    /// What was read when the transaction was opened.
    read: Read,
}

/// The rows of one stream's head and of at most one key.
struct Read {
    stream: StreamId,
    key: Option<ClientKey>,
    heads: Vec<PgRow>,
    keys: Vec<PgRow>,
}

impl Writer {
    pub(crate) fn new(sessions: Sessions, wake: Wake) -> Self {
        Self {
            sessions,
            wake,
            idle: None,
            open: None,
        }
    }

    /// Closes the connection.
    pub(crate) async fn close(self) {
        if let Some(session) = self.idle {
            // If this fails, the server notices the lost connection by itself.
            let _ = session.connection.close().await;
        }
    }

    /// Opens a transaction on the idle connection, or on a new one.
    async fn open(&mut self, first: &Commit) -> Result<Open, sqlx::Error> {
        if let Some(session) = self.idle.take() {
            match Open::on(session, first).await {
                // The connection was lost while it was idle, and no statement has run yet.
                Err(error) if is_connection_lost(&error) => {}
                opened => return opened,
            }
        }
        let mut connection = self.sessions.open().await?;
        patiently(sqlx::raw_sql(alone::PREPARE).execute(&mut connection)).await?;
        let ends = Ends::default();
        Open::on(Session { connection, ends }, first).await
    }
}

impl Open {
    async fn on(mut session: Session, first: &Commit) -> Result<Self, sqlx::Error> {
        let rows = message(alone::open(first)).fetch_all(&mut session.connection);
        // The statement that takes the lock returns a row too, with one column.
        let (heads, mut keys): (Vec<_>, Vec<_>) = patiently(rows)
            .await?
            .into_iter()
            .partition(|row| row.len() == HEAD_COLUMNS);
        keys.retain(|row| row.len() == KEY_COLUMNS);
        let read = Read {
            stream: first.stream_id.clone(),
            key: first.client_key(),
            heads,
            keys,
        };
        Ok(Self { session, read })
    }

    /// The state of a batch whose streams this session was the last to write, and whose keys were read.
    fn known(
        &self,
        streams: &[StreamId],
        keys: &[ClientKey],
    ) -> Result<Option<Snapshot>, StorageError> {
        if keys != self.read.key.as_slice() {
            return Ok(None);
        }
        let read = snapshot(&self.read.heads, &self.read.keys)?;
        let heads = self.session.ends.at(read.next_checkpoint, streams);
        Ok(heads.map(|heads| Snapshot { heads, ..read }))
    }

    /// Reads the heads of several streams, and the changesets that have several keys.
    async fn read(&mut self, streams: &[StreamId], keys: &[ClientKey]) -> Result<(), sqlx::Error> {
        let keys_are_read = keys == self.read.key.as_slice();
        if keys_are_read && streams == std::slice::from_ref(&self.read.stream) {
            return Ok(());
        }
        let streams: Vec<&str> = streams.iter().map(StreamId::as_str).collect();
        if keys_are_read {
            let heads = sqlx::query(HEADS).bind(streams);
            self.read.heads = patiently(heads.fetch_all(&mut self.session.connection)).await?;
            return Ok(());
        }
        let of: Vec<&str> = keys.iter().map(|key| key.stream_id.as_str()).collect();
        let ids: Vec<&str> = keys.iter().map(|key| key.commit_id.as_str()).collect();
        let both = sqlx::query(HEADS_AND_KEYS).bind(streams).bind(of).bind(ids);
        let rows = patiently(both.fetch_all(&mut self.session.connection)).await?;
        (self.read.keys, self.read.heads) = rows.into_iter().partition(snapshot::is_key);
        Ok(())
    }
}

/// A message of several statements. All values in it were quoted by [`alone`].
fn message(statements: String) -> sqlx::RawSql {
    sqlx::raw_sql(AssertSqlSafe(statements))
}

#[async_trait]
impl BatchStore for Writer {
    async fn await_turn(&mut self, first: &Commit) -> Result<(), StorageError> {
        self.open = Some(self.open(first).await.map_err(translate)?);
        Ok(())
    }

    async fn begin(
        &mut self,
        streams: &[StreamId],
        keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError> {
        let mut open = self.open.take().ok_or_else(StorageError::closed)?;
        let found = if let Some(known) = open.known(streams, keys)? {
            Ok(known)
        } else {
            open.read(streams, keys).await.map_err(translate)?;
            snapshot(&open.read.heads, &open.read.keys)
        };
        let is_open = snapshot::check_open(&open.read.heads);
        self.open = Some(open);
        is_open.and(found)
    }

    async fn commit(&mut self, changesets: &[Changeset]) -> Result<(), StorageError> {
        let open = self.open.take().ok_or_else(StorageError::closed)?;
        let Session {
            mut connection,
            mut ends,
        } = open.session;
        let commit = if let Some(alone) = alone::commit(changesets) {
            alone
        } else {
            let insert = insert(changesets).execute(&mut connection);
            patiently(insert).await.map_err(translate)?;
            alone::COMMIT.to_owned()
        };
        let commit = message(commit).execute(&mut connection);
        let committed = patiently(commit).await;
        // Announces the commit even if the answer was lost, since it may have succeeded.
        self.wake.announce();
        committed.map_err(translate_commit)?;
        ends.wrote(changesets);
        self.idle = Some(Session { connection, ends });
        Ok(())
    }

    async fn rollback(&mut self) {
        if let Some(Open { mut session, .. }) = self.open.take() {
            let rollback = sqlx::raw_sql(ROLLBACK).execute(&mut session.connection);
            if patiently(rollback).await.is_ok() {
                self.idle = Some(session);
            }
        }
    }
}

pub(crate) type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// Inserts changesets.
pub(crate) fn insert(changesets: &[Changeset]) -> Query<'_> {
    let numbers = |of: fn(&Changeset) -> i64| changesets.iter().map(of).collect::<Vec<_>>();
    let texts = |of: fn(&Changeset) -> &str| changesets.iter().map(of).collect::<Vec<_>>();
    let sets = changesets.iter().map(|c| c.set.map(|set| set.to_string()));
    let sets: Vec<Option<String>> = sets.collect();
    let types = changesets.iter().map(|c| c.events.types());
    let types: Vec<Option<String>> = types.map(|types| types.map(|t| t.to_string())).collect();
    sqlx::query(INSERT)
        .bind(numbers(|c| c.checkpoint.map_or(-1, Checkpoint::as_i64)))
        .bind(texts(|c| c.stream_id.as_str()))
        .bind(numbers(|c| c.changeset_id.as_i64()))
        .bind(numbers(|c| c.first_event_id.as_i64()))
        .bind(numbers(|c| c.last_event_id.as_i64()))
        .bind(numbers(|c| c.timestamp.as_micros()))
        .bind(texts(|c| c.commit_id.as_str()))
        .bind(texts(|c| c.metadata.as_str()))
        .bind(texts(|c| c.events.as_str()))
        .bind(sets)
        .bind(types)
}

#[cfg(test)]
mod tests;
