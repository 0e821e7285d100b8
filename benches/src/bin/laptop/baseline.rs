//! The baseline: SQLite through sqlx, without the store.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Row, SqliteConnection};

use benches::load;

/// The store's own columns and indexes.
const SCHEMA: &str = include_str!("../../../../ees-sqlite/migrations/0001_changesets.sql");

const INSERT: &str = "INSERT INTO changesets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

const SCAN: &str = "SELECT * FROM changesets WHERE checkpoint >= ?1 ORDER BY checkpoint LIMIT ?2";

/// A file with the store's schema and `synchronous=FULL`.
pub(crate) async fn open(path: &Path) -> SqliteConnection {
    let mut connection = options(path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(SCHEMA)
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

/// The connection options, which equal those of the store's writer.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-16384")
        .disable_statement_logging()
}

/// Writes one row, in a transaction of its own.
pub(crate) async fn insert(connection: &mut SqliteConnection, number: i64) {
    let streams = i64::try_from(load::STREAMS).unwrap();
    let changeset = number / streams;
    sqlx::query(INSERT)
        .bind(number)
        .bind(format!("order-{}", number % streams))
        .bind(changeset + 1)
        .bind(changeset * 3 + 1)
        .bind(changeset * 3 + 3)
        .bind(number)
        .bind("ees-00000000-0000-0000-0000-000000000000")
        .bind(load::metadata(number.unsigned_abs()))
        .bind(load::events(number.unsigned_abs()))
        .execute(connection)
        .await
        .unwrap();
}

/// Reads a page of all columns into owned values. Returns the number of rows.
pub(crate) async fn scan(connection: &mut SqliteConnection, from: i64, limit: i64) -> usize {
    let rows = sqlx::query(SCAN)
        .bind(from)
        .bind(limit)
        .fetch_all(connection)
        .await
        .unwrap();
    let owned = rows.iter().map(|row| {
        let number = |column| row.get::<i64, _>(column);
        let text = |column| row.get::<String, _>(column);
        let numbers = (number(0), number(2), number(3), number(4), number(5));
        (numbers, text(1), text(6), text(7), text(8))
    });
    owned.collect::<Vec<_>>().len()
}
