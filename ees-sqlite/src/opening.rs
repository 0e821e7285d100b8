//! Opening the file: is it ours, is it current, is it durable?

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection};

use crate::OpenError;
use crate::error::{is_not_a_database, is_not_writable, needs_rollback};
use crate::writer::MAX_ROWS;

/// What marks a SQLite file as an event store: "EES1".
const APPLICATION_ID: i32 = 0x4545_5331;

/// What a SQLite file begins with: <https://sqlite.org/fileformat2.html#the_database_header>.
const HEADER_BYTES: u64 = 100;

const NO_DATABASE: &str = "it is no SQLite database";

/// How long to wait for a lock that another program holds for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Every version of the schema, oldest first; what has been released is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[(
    1,
    "changesets",
    include_str!("../migrations/0001_changesets.sql"),
)];

/// Opens the one connection that writes, on a file that exists or not, and brings the schema up to
/// date.
pub(crate) async fn open_writer(path: &Path) -> Result<SqliteConnection, OpenError> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        check_ours(path).await?;
    }
    let failed = |error| open_error(path, error);
    let mut connection = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // Apple's fsync does not reach the disk; elsewhere these change nothing.
        .pragma("fullfsync", "1")
        .pragma("checkpoint_fullfsync", "1")
        // Gives back what a burst made of the write-ahead log.
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

/// How connections that only read are opened.
pub(crate) fn reader_options(path: &Path) -> SqliteConnectOptions {
    options(path).read_only(true)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Refuses a file that something else made, before anything of ours is written to it.
pub(crate) async fn check_ours(path: &Path) -> Result<(), OpenError> {
    let not_ours = |found| OpenError::NotOurs {
        path: path.to_owned(),
        found,
    };
    // SQLite takes a file of a byte for an empty one.
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
        // Only who may write can take back what a process that was killed had begun.
        Err(error) if needs_rollback(&error) => marks(&options(path)).await,
        found => found,
    };
    let (application_id, tables) = found.map_err(failed)?;
    match (application_id, tables) {
        (APPLICATION_ID, _) | (0, 0) => Ok(()),
        _ => Err(not_ours("it is a SQLite database of another program")),
    }
}

/// The application id, and the number of tables and the like.
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
    // `Migrator::run` takes any `Acquire`, and with that no caller's future is known to be `Send`.
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

/// A kill cannot show a missing flush, so the settings that make SQLite flush are asked back:
/// with `synchronous=FULL` (2) in WAL mode each commit flushes the log
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
