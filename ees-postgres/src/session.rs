//! Opens connections and configures each of them.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::PostgresConfig;

/// How long to wait for an answer of the server. It is longer than the timeouts of the server
/// itself.
const PATIENCE: Duration = Duration::from_mins(1);

/// The statement that takes the store's lock until the end of the transaction.
///
/// The lock has two keys. The first one, "EES1", separates it from the locks of other programs. The
/// second one is the table, so that each schema has its own lock.
macro_rules! lock {
    () => {
        "SELECT pg_advisory_xact_lock(1162171185, 'changesets'::regclass::oid::integer)"
    };
}
pub(crate) use lock;

/// The settings of every session. They override those of the server, the role and the database.
///
/// - Statements run at READ COMMITTED: each sees what was committed before it began.
/// - A transaction whose process is frozen or gone ends and releases the store's lock, before the
///   servers that wait for the lock give up.
/// - Every statement reads an index in its order, even in a new and empty table, and is planned
///   once.
const SETTINGS: &str = "
    SET synchronous_commit = on;
    SET standard_conforming_strings = on;
    SET default_transaction_isolation = 'read committed';
    SET default_transaction_read_only = off;
    SET idle_in_transaction_session_timeout = '5s';
    SET lock_timeout = '15s';
    SET statement_timeout = '30s';
    SET enable_indexscan = on;
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET enable_sort = off;
    SET plan_cache_mode = force_generic_plan;
    SET jit = off;
    SET client_min_messages = warning;";

/// Opens sessions.
#[derive(Clone)]
pub(crate) struct Sessions {
    connect: PgConnectOptions,
    settings: String,
    /// How long to wait for a connection, new or free.
    pub(crate) timeout: Duration,
}

impl fmt::Debug for Sessions {
    /// Omits the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Sessions {
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        Self {
            connect: config.connect.clone(),
            // `PostgresConfig` has checked that this is a plain name.
            settings: format!("SET search_path = \"{}\"; {SETTINGS}", config.schema),
            timeout: config.connect_timeout,
        }
    }

    /// Opens a connection for exclusive use.
    pub(crate) async fn open(&self) -> Result<PgConnection, sqlx::Error> {
        let open = async {
            let mut connection = self.connect.connect().await?;
            set_up(&mut connection, &self.settings).await?;
            Ok(connection)
        };
        within(self.timeout, open).await
    }

    /// A pool of one connection, for a listener.
    pub(crate) fn pool(&self) -> PgPool {
        let settings = self.settings.clone();
        PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(self.timeout)
            .after_connect(move |connection, _| {
                let settings = settings.clone();
                Box::pin(async move { set_up(connection, &settings).await })
            })
            .connect_lazy_with(self.connect.clone())
    }
}

/// Waits for an answer until a time limit, since the network may have lost it.
pub(crate) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    let answered = tokio::time::timeout(limit, answer).await;
    answered.unwrap_or_else(|_| Err(sqlx::Error::Io(late())))
}

/// Whether an error is the end of such a time limit.
pub(crate) fn is_late(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut)
}

/// Like [`within`], with a limit that exceeds the timeouts of the server itself.
pub(crate) async fn patiently<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    within(PATIENCE, answer).await
}

async fn set_up(connection: &mut PgConnection, settings: &str) -> Result<(), sqlx::Error> {
    let settings = AssertSqlSafe(settings.to_owned());
    sqlx::raw_sql(settings).execute(connection).await?;
    Ok(())
}
