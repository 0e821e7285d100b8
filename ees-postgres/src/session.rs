//! Connections, and how each of them is set up.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::PostgresConfig;

/// How long to wait for a connection, new or free.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was not used for so long is asked whether it still is one before it is used.
const IDLE: Duration = Duration::from_secs(1);

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
}

impl Sessions {
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        Self {
            connect: config.connect.clone(),
            // Checked to be a plain name.
            settings: format!("SET search_path = \"{}\"; {SETTINGS}", config.schema),
        }
    }

    /// A connection that is nobody else's.
    pub(crate) async fn open(&self) -> Result<PgConnection, sqlx::Error> {
        let open = async {
            let mut connection = self.connect.connect().await?;
            set_up(&mut connection, &self.settings).await?;
            Ok(connection)
        };
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, open).await;
        opened.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// A pool that connects as it is used.
    pub(crate) fn pool(&self, size: u32) -> PgPool {
        let settings = self.settings.clone();
        PgPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(CONNECT_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, used| {
                Box::pin(async move {
                    let is_fresh = used.idle_for < IDLE;
                    Ok(is_fresh || connection.ping().await.is_ok())
                })
            })
            .after_connect(move |connection, _| {
                let settings = settings.clone();
                Box::pin(async move { set_up(connection, &settings).await })
            })
            .connect_lazy_with(self.connect.clone())
    }
}

async fn set_up(connection: &mut PgConnection, settings: &str) -> Result<(), sqlx::Error> {
    let settings = AssertSqlSafe(settings.to_owned());
    sqlx::raw_sql(settings).execute(connection).await?;
    Ok(())
}
