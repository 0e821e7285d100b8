//! Opens the file, and checks that it is an event store, has the current schema, and is durable.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection};

use crate::OpenError;
use crate::error::{is_not_a_database, is_not_writable, needs_rollback};
use crate::writer::MAX_ROWS;

/// The application id that marks a SQLite file as an event store: "EES1".
const APPLICATION_ID: i32 = 0x4545_5331;

/// The size of the header of a SQLite file:
/// <https://sqlite.org/fileformat2.html#the_database_header>.
const HEADER_BYTES: u64 = 100;

const NO_DATABASE: &str = "it is not a SQLite database";

/// How long to wait for a lock of another program.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// All versions of the schema, oldest first. A released version is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[(
    1,
    "changesets",
    include_str!("../migrations/0001_changesets.sql"),
)];

/// Opens the only connection that writes, and migrates the schema. Creates the file if it is
/// missing.
pub(crate) async fn open_writer(path: &Path) -> Result<SqliteConnection, OpenError> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        check_ours(path).await?;
    }
    let failed = |error| open_error(path, error);
    let mut connection = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // Apple's fsync does not reach the disk. On other systems these settings change nothing.
        .pragma("fullfsync", "1")
        .pragma("checkpoint_fullfsync", "1")
        // Truncates the write-ahead log to 64 MiB after it has grown in a burst.
        .pragma("journal_size_limit", "67108864")
        .pragma("cache_size", "-16384")
        .pragma("wal_autocheckpoint", "16384")
        .statement_cache_capacity(2 * MAX_ROWS)
        .pragma("application_id", APPLICATION_ID.to_string())
        .connect()
        .await
        .map_err(failed)?;
    migrate(path, &mut connection).await?;
    assert_durable(path, &mut connection).await?;
    Ok(connection)
}

/// The options of read-only connections.
pub(crate) fn reader_options(path: &Path) -> SqliteConnectOptions {
    options(path).read_only(true)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Refuses a file of another program, before the store writes to it.
pub(crate) async fn check_ours(path: &Path) -> Result<(), OpenError> {
    let not_ours = |found| OpenError::NotOurs {
        path: path.to_owned(),
        found,
    };
    // SQLite treats a file that is shorter than its header as an empty database.
    if std::fs::metadata(path).is_ok_and(|file| file.len() < HEADER_BYTES) {
        return Err(not_ours(NO_DATABASE));
    }
    let failed = |error: sqlx::Error| {
        if is_not_a_database(&error) {
            not_ours(NO_DATABASE)
        } else {
            open_error(path, error)
        }
    };
    let found = match marks(&reader_options(path)).await {
        // A killed process left a rollback journal, and only a connection that can write rolls it
        // back.
        Err(error) if needs_rollback(&error) => marks(&options(path)).await,
        found => found,
    };
    let (application_id, tables) = found.map_err(failed)?;
    match (application_id, tables) {
        (APPLICATION_ID, _) | (0, 0) => Ok(()),
        _ => Err(not_ours("it is a SQLite database of another program")),
    }
}

/// The application id, and the number of tables, indexes, views and triggers.
async fn marks(options: &SqliteConnectOptions) -> Result<(i32, i64), sqlx::Error> {
    let mut connection = options.connect().await?;
    let marks =
        sqlx::query_as("SELECT (SELECT * FROM pragma_application_id), count(*) FROM sqlite_schema");
    let marks = marks.fetch_one(&mut connection).await;
    let closed = connection.close().await;
    closed.and(marks)
}

async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let known = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(
            *version,
            Cow::Borrowed(*name),
            kind,
            sql.into_sql_str(),
            false,
        )
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    // `Migrator::run` accepts any `Acquire`. With it the compiler cannot prove that a caller's
    // future is `Send`.
    match migrator.run_direct(None, connection, false).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known,
        }),
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(open_error(path, error))
        }
        Err(error) => Err(open_error(path, sqlx::Error::Migrate(Box::new(error)))),
    }
}

/// Reads back the settings that make SQLite flush, since killing a process cannot reveal a missing
/// fsync. With `synchronous=FULL` (2) in WAL mode each commit flushes the log
/// (<https://sqlite.org/pragma.html#pragma_synchronous>).
pub(crate) async fn assert_durable(
    path: &Path,
    connection: &mut SqliteConnection,
) -> Result<(), OpenError> {
    let settings = sqlx::query_as(
        "SELECT (SELECT * FROM pragma_journal_mode), CAST((SELECT * FROM pragma_synchronous) AS TEXT)",
    );
    let settings: Result<(String, String), _> = settings.fetch_one(connection).await;
    let (journal_mode, synchronous) = settings.map_err(|error| open_error(path, error))?;
    for (setting, found, expected) in [
        ("journal_mode", journal_mode, "wal"),
        ("synchronous", synchronous, "2"),
    ] {
        if found != expected {
            return Err(OpenError::NotDurable {
                path: path.to_owned(),
                setting,
                found,
                expected,
            });
        }
    }
    Ok(())
}

pub(crate) fn open_error(path: &Path, error: sqlx::Error) -> OpenError {
    let path = path.to_owned();
    if is_not_writable(&error) {
        let reason = error.to_string();
        OpenError::NotWritable { path, reason }
    } else {
        OpenError::Sqlite {
            path,
            source: error,
        }
    }
}
