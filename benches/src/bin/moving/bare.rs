//! The baselines: SQLite alone on one thread, and PostgreSQL through one connection.

use std::hint::black_box;
use std::path::Path;

use ees_postgres_testkit::Database;
use rusqlite::{Connection, params};
use sqlx::{Connection as _, PgConnection};

use crate::rows::{Row, Rows, events};

/// Reads all columns of the order from SQLite.
pub(crate) fn scan(file: &Path) {
    let connection = Connection::open(file).unwrap();
    let select =
        "SELECT stream_id, changeset_id, first_event_id, last_event_id, timestamp, commit_id,
        metadata, events FROM changesets ORDER BY checkpoint";
    let mut statement = connection.prepare(select).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut bytes = 0;
    while let Some(row) = rows.next().unwrap() {
        for text in [0, 5, 6, 7] {
            bytes += row.get_ref(text).unwrap().as_str().unwrap().len();
        }
        for number in 1..=4 {
            black_box(row.get::<_, i64>(number).unwrap());
        }
    }
    black_box(bytes);
}

/// Inserts into a table of SQLite with the store's columns and its two indexes, in transactions of 1000 rows.
pub(crate) fn insert_into_sqlite(rows: Rows, file: &Path) {
    let mut connection = Connection::open(file).unwrap();
    let schema = "
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE changesets (checkpoint INTEGER PRIMARY KEY, stream_id TEXT, changeset_id INTEGER,
            first_event_id INTEGER, last_event_id INTEGER, timestamp INTEGER, commit_id TEXT,
            metadata TEXT, events TEXT) STRICT;
        CREATE UNIQUE INDEX by_stream ON changesets (stream_id, changeset_id);";
    connection.execute_batch(schema).unwrap();
    let events = events();
    for batch in rows.batches() {
        let transaction = connection.transaction().unwrap();
        let insert = "INSERT INTO changesets VALUES (?1, ?2, ?3, ?3, ?3, ?4, ?5, '{}', ?6)";
        let mut statement = transaction.prepare_cached(insert).unwrap();
        for row in batch {
            let row = params![row.at, row.stream, row.id, row.micros, row.key, events];
            statement.execute(row).unwrap();
        }
        drop(statement);
        transaction.commit().unwrap();
    }
}

/// The rows as arrays, a statement for each thousand.
const INSERT: &str = "
    INSERT INTO ees.changesets (checkpoint, stream_id, changeset_id, first_event_id, last_event_id,
        \"timestamp\", commit_id, metadata, events, payload_bytes, event_types)
    SELECT at, stream, id, id, id, micros, key, '{}', events::json, octet_length(events) + 2, 'placed'
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])
         AS new (at, stream, id, micros, key, events)";

/// Inserts into the store's own table of PostgreSQL with its indexes, in transactions of 1000 rows. Events are
/// sent once for each row, as an import sends them.
pub(crate) async fn insert_into_postgres(rows: Rows, database: &Database) {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let events = events();
    for batch in rows.batches() {
        let numbers = |of: fn(&Row) -> i64| batch.iter().map(of).collect::<Vec<_>>();
        let texts = |of: fn(&Row) -> &str| batch.iter().map(of).collect::<Vec<_>>();
        let events = vec![events.as_str(); batch.len()];
        sqlx::query(INSERT)
            .bind(numbers(|row| row.at))
            .bind(texts(|row| &row.stream))
            .bind(numbers(|row| row.id))
            .bind(numbers(|row| row.micros))
            .bind(texts(|row| &row.key))
            .bind(events)
            .execute(&mut connection)
            .await
            .unwrap();
    }
}
