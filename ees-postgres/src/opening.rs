//! Prepares the database: checks that it is suitable, that the schema belongs to the store, and
//! that the schema is current.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqlSafeStr};

use crate::error::{code, is_connection_lost, said};
use crate::session::{Sessions, patiently};
use crate::{OpenError, PostgresConfig};

/// The oldest version that the PostgreSQL project supports: 14.
const OLDEST_VERSION: i32 = 140_000;

/// All versions of the schema, oldest first. A released version is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "changesets",
        include_str!("../migrations/0001_changesets.sql"),
    ),
    (
        2,
        "client keys",
        include_str!("../migrations/0002_client_keys.sql"),
    ),
    (
        3,
        "identity",
        include_str!("../migrations/0003_identity.sql"),
    ),
    (
        4,
        "event types",
        include_str!("../migrations/0004_event_types.sql"),
    ),
    (
        5,
        "consumers",
        include_str!("../migrations/0005_consumers.sql"),
    ),
    (
        6,
        "keys by hash",
        include_str!("../migrations/0006_keys_by_hash.sql"),
    ),
    (7, "sets", include_str!("../migrations/0007_sets.sql")),
    (
        8,
        "evidence",
        include_str!("../migrations/0008_evidence.sql"),
    ),
];

/// Selects the properties of the server and the database that [`assert_fit`] checks.
const FITNESS: &str = "
    SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
           current_setting('server_encoding'), pg_is_in_recovery(), current_setting('fsync'),
           current_setting('data_checksums')";

/// Selects whether the schema exists, whether it contains anything, and whether it has versions.
const SCHEMA: &str = "
    SELECT to_regnamespace($1) IS NOT NULL,
           EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace($1)),
           to_regclass($1 || '._sqlx_migrations') IS NOT NULL";

/// Takes the lock ("EES0") under which one server at a time checks and migrates a database. The
/// server that has it may take as long as it needs; the others wait up to 55 seconds. The lock is
/// released when the connection closes.
const LOCK: &str = "
    SET statement_timeout = 0;
    SET lock_timeout = '55s';
    SELECT pg_advisory_lock(1162171184)";

/// Creates or migrates the store in the database. Several servers may do this at once.
pub(crate) async fn prepare(config: &PostgresConfig, sessions: &Sessions) -> Result<(), OpenError> {
    let failed = |error| open_error(config, error);
    let mut connection = sessions.open().await.map_err(failed)?;
    assert_fit(config, &mut connection).await?;
    let lock = sqlx::raw_sql(LOCK).execute(&mut connection);
    patiently(lock).await.map_err(failed)?;
    make_schema(config, &mut connection).await?;
    migrate(config, &mut connection).await?;
    connection.close().await.map_err(failed)
}

/// Refuses a server or a database that cannot hold a store. It reads `fsync` from the server, since
/// killing a process cannot reveal a missing fsync.
async fn assert_fit(
    config: &PostgresConfig,
    connection: &mut PgConnection,
) -> Result<(), OpenError> {
    let query = sqlx::query_as(FITNESS).fetch_one(connection);
    let row: Result<(i32, String, String, bool, String, String), _> = patiently(query).await;
    let (number, version, encoding, is_standby, fsync, checksums) =
        row.map_err(|error| open_error(config, error))?;
    let unfit = |found: String, expected| OpenError::Unfit {
        target: config.target(),
        found,
        expected,
    };
    if number < OLDEST_VERSION {
        let expected = "14 or newer is needed";
        return Err(unfit(format!("it is PostgreSQL {version}"), expected));
    }
    if encoding != "UTF8" {
        let expected = "UTF8 is needed: `createdb --encoding=UTF8 --template=template0 DATABASE`";
        return Err(unfit(format!("its encoding is {encoding}"), expected));
    }
    if is_standby {
        let expected = "only the primary accepts writes: use its host in the URL";
        return Err(unfit("it is a standby".to_owned(), expected));
    }
    if fsync != "on" && !config.allow_fsync_off {
        let expected = "acknowledged changesets are durable only with `on`: \
                        `ALTER SYSTEM SET fsync = on` and `SELECT pg_reload_conf()`, \
                        or for a test `?allow_fsync_off=true`";
        return Err(unfit(format!("it runs with fsync={fsync}"), expected));
    }
    if checksums != "on" {
        tracing::warn!(
            "{}: the cluster has no data checksums, so it does not notice what its disk damages. Stop it, and \
             run `pg_checksums --enable`",
            config.target()
        );
    }
    Ok(())
}

/// Creates the schema if it is missing, and refuses a schema that contains other tables. Only a
/// missing schema needs the right to create one.
async fn make_schema(
    config: &PostgresConfig,
    connection: &mut PgConnection,
) -> Result<(), OpenError> {
    let failed = |error| open_error(config, error);
    let look = sqlx::query(SCHEMA).bind(&config.schema);
    let row = patiently(look.fetch_one(&mut *connection))
        .await
        .map_err(failed)?;
    let is = |column: usize| row.try_get(column).map_err(failed);
    let (is_there, is_used, has_versions): (bool, bool, bool) = (is(0)?, is(1)?, is(2)?);
    if is_used && !has_versions {
        return Err(not_ours(config, "it holds tables of another program"));
    }
    if !is_there {
        // `PostgresConfig` has checked that this is a plain name.
        let create = AssertSqlSafe(format!("CREATE SCHEMA \"{}\"", config.schema));
        let created = sqlx::raw_sql(create).execute(connection);
        patiently(created).await.map_err(failed)?;
    }
    Ok(())
}

async fn migrate(config: &PostgresConfig, connection: &mut PgConnection) -> Result<(), OpenError> {
    let known = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        let kind = MigrationType::Simple;
        let sql = sql.into_sql_str();
        Migration::new(*version, Cow::Borrowed(*name), kind, sql, false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_locking(false);
    // `Migrator::run` accepts any `Acquire`. With it the compiler cannot prove that a caller's
    // future is `Send`.
    match migrator.run_direct(None, connection, false).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => Err(OpenError::Newer {
            target: config.target(),
            schema: config.schema.clone(),
            found,
            known,
        }),
        Err(MigrateError::VersionMismatch(_)) => Err(not_ours(
            config,
            "its schema versions belong to another program",
        )),
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(open_error(config, error))
        }
        Err(error) => Err(open_error(config, sqlx::Error::Migrate(Box::new(error)))),
    }
}

fn not_ours(config: &PostgresConfig, found: &'static str) -> OpenError {
    OpenError::NotOurs {
        target: config.target(),
        schema: config.schema.clone(),
        found,
    }
}

fn open_error(config: &PostgresConfig, source: sqlx::Error) -> OpenError {
    let target = config.target();
    let code = code(&source).unwrap_or_default();
    match (code.get(..2).unwrap_or_default(), code.as_str()) {
        ("28" | "3D", _) => OpenError::Refused {
            target,
            said: said(&source),
        },
        (_, "42501") => OpenError::NoRights {
            target,
            schema: config.schema.clone(),
            user: config.connect.get_username().to_owned(),
            said: said(&source),
        },
        _ if is_connection_lost(&source) => OpenError::Unreachable { target, source },
        _ => OpenError::Postgres { target, source },
    }
}
