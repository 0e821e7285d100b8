//! Connections, and how each of them is set up.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::PostgresConfig;

/// The longest that the server may take for an answer: more than its own timeouts allow.
const PATIENCE: Duration = Duration::from_mins(1);

/// What every session asks for, whatever server, role and database were set to.
///
/// - Statements mean what they mean at READ COMMITTED: each sees what was committed before it.
/// - A transaction whose process is frozen or gone ends, and gives the store's lock back, before
///   those who wait for that lock give up.
/// - Every statement goes by an index, in its order, from the first row of a new table on, and is
///   planned once.
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
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Sessions {
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        Self {
            connect: config.connect.clone(),
            // Checked to be a plain name.
            settings: format!("SET search_path = \"{}\"; {SETTINGS}", config.schema),
            timeout: config.connect_timeout,
        }
    }

    /// A connection that is nobody else's.
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

/// Waits for an answer, but not for ever: the network may have swallowed it.
pub(crate) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    let answered = tokio::time::timeout(limit, answer).await;
    answered.unwrap_or_else(|_| Err(sqlx::Error::Io(late())))
}

/// Whether nobody answered within such a limit.
pub(crate) fn is_late(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut)
}

/// The same for an answer that may take as long as the server lets it.
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
