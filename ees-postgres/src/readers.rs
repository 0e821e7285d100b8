//! Connections that are lent, for one statement each.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{Connection, PgConnection};
use tokio::sync::Semaphore;

use crate::error::is_connection_lost;
use crate::session::{Sessions, is_late, patiently, within};

/// A connection that was not used for so long is asked whether it still is one before it is used.
const IDLE: Duration = Duration::from_secs(1);

/// How long it may take to say so.
const PING: Duration = Duration::from_secs(2);

/// How long a connection is used, so that none stays where a name has long led elsewhere.
const LIFETIME: Duration = Duration::from_mins(30);

pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// So many connections at most, opened as they are used. One on which a statement has not ended,
/// as the network failed or as nobody waits for it any more, is given up at once.
#[derive(Debug)]
pub(crate) struct Readers {
    pub(crate) sessions: Sessions,
    room: Semaphore,
    idle: Mutex<Vec<Reader>>,
}

#[derive(Debug)]
struct Reader {
    connection: PgConnection,
    opened: Instant,
    used: Instant,
}

impl Readers {
    pub(crate) fn new(sessions: Sessions, size: u32) -> Self {
        Self {
            sessions,
            room: Semaphore::new(size as usize),
            idle: Mutex::default(),
        }
    }

    /// Asks, and waits, but not for ever. A connection that was lost while nobody used it is
    /// noticed by nobody: it is asked anew on another, so a statement must bear being asked twice.
    pub(crate) async fn all<'q>(
        &self,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let room = tokio::time::timeout(self.sessions.timeout, self.room.acquire()).await;
        let room = room.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let _room = room.map_err(|_| sqlx::Error::PoolClosed)?;
        if let Some(reader) = self.idle_reader().await {
            let rows = self.ask(reader, statement()).await;
            let may_be_stale = |error| is_connection_lost(error) && !is_late(error);
            if !rows.as_ref().is_err_and(may_be_stale) {
                return rows;
            }
        }
        let connection = self.sessions.open().await?;
        let now = Instant::now();
        let reader = Reader {
            connection,
            opened: now,
            used: now,
        };
        self.ask(reader, statement()).await
    }

    /// Asks on a connection, and keeps it for others unless it is lost.
    async fn ask(
        &self,
        mut reader: Reader,
        statement: Statement<'_>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let rows = patiently(statement.fetch_all(&mut reader.connection)).await;
        let is_lost = rows.as_ref().is_err_and(is_connection_lost);
        if !is_lost && !self.room.is_closed() && reader.opened.elapsed() < LIFETIME {
            reader.used = Instant::now();
            self.idle().push(reader);
        }
        rows
    }

    /// A connection that nobody uses, if one answers.
    async fn idle_reader(&self) -> Option<Reader> {
        let mut reader = self.idle().pop()?;
        let is_fresh = reader.used.elapsed() < IDLE;
        let answers = is_fresh || within(PING, reader.connection.ping()).await.is_ok();
        answers.then_some(reader)
    }

    /// Closes the connections in order; those that are lent end with their statements.
    pub(crate) async fn close(&self) {
        self.room.close();
        let idle = std::mem::take(&mut *self.idle());
        for reader in idle {
            // The server notices in any case.
            let _ = within(PING, reader.connection.close()).await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
