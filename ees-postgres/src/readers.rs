//! A pool of connections for reads. Each is lent for one statement.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{Connection, PgConnection};
use tokio::sync::Semaphore;

use crate::error::is_connection_lost;
use crate::session::{Sessions, is_late, patiently, within};

/// A connection that was idle for longer than this is pinged before its next use.
const IDLE: Duration = Duration::from_secs(1);

/// How long a ping may take.
const PING: Duration = Duration::from_secs(2);

/// The maximum age of a connection, so that none stays on an old server after the host name
/// resolves to another one.
const LIFETIME: Duration = Duration::from_mins(30);

pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A limited number of connections, opened on demand. A connection is dropped at once if a
/// statement on it did not end, because the network failed or because the caller went away.
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

    /// Runs a statement with a time limit and returns its rows. A connection may have been lost
    /// while it was idle. The statement then runs again on a new connection, so it must be safe to
    /// run twice.
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

    /// Runs a statement on a connection. Returns the connection to the pool unless it is lost.
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

    /// Takes an idle connection, if it still answers.
    async fn idle_reader(&self) -> Option<Reader> {
        let mut reader = self.idle().pop()?;
        let is_fresh = reader.used.elapsed() < IDLE;
        let answers = is_fresh || within(PING, reader.connection.ping()).await.is_ok();
        answers.then_some(reader)
    }

    /// Closes the idle connections. Connections in use close after their statements.
    pub(crate) async fn close(&self) {
        self.room.close();
        let idle = std::mem::take(&mut *self.idle());
        for reader in idle {
            // If this fails, the server notices the lost connection by itself.
            let _ = within(PING, reader.connection.close()).await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
