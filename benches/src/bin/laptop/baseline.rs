//! The baseline: SQLite itself, on one thread, without the store.

use std::path::Path;
use std::time::{Duration, Instant};

use benches::load::{self, STREAMS};
use benches::report::per_second;
use ees_core::adapter::Storage;
use ees_sqlite::{SqliteConfig, SqliteStorage};
use rusqlite::{Connection, params};

/// The settings of the store's writer.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 16384;";

const INSERT: &str = "
    INSERT INTO changesets (checkpoint, stream_id, changeset_id, first_event_id, last_event_id,
                            timestamp, commit_id, metadata, events)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

const SCAN: &str = "SELECT checkpoint, stream_id, changeset_id, first_event_id, last_event_id, timestamp, commit_id,
    metadata, events FROM changesets WHERE checkpoint >= ?1 ORDER BY checkpoint LIMIT ?2";

/// Opens a file, or creates it, with the settings of the store's writer.
pub(crate) fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(SETTINGS).unwrap();
    connection
}

/// A new file with the store's schema, and the number of its rows.
pub(crate) struct Baseline {
    connection: Connection,
    rows: u64,
}

impl Baseline {
    pub(crate) async fn create(path: &Path) -> Self {
        let storage = SqliteStorage::open(&SqliteConfig::new(path)).await.unwrap();
        storage.close().await;
        Self {
            connection: connect(path),
            rows: 0,
        }
    }

    /// Writes transactions of so many rows until the time is up. Returns rows per second.
    pub(crate) fn append(&mut self, batch: u64, length: Duration) -> f64 {
        let (begun, first) = (Instant::now(), self.rows);
        while begun.elapsed() < length {
            self.execute("BEGIN IMMEDIATE");
            for _ in 0..batch {
                self.insert();
            }
            self.execute("COMMIT");
        }
        per_second(self.rows - first, begun.elapsed())
    }

    fn execute(&self, statement: &str) {
        let mut statement = self.connection.prepare_cached(statement).unwrap();
        statement.execute([]).unwrap();
    }

    fn insert(&mut self) {
        let (stream, changeset) = (self.rows % STREAMS, self.rows / STREAMS);
        let mut statement = self.connection.prepare_cached(INSERT).unwrap();
        statement
            .execute(params![
                self.rows,
                format!("order-{stream}"),
                changeset + 1,
                changeset * 3 + 1,
                changeset * 3 + 3,
                self.rows,
                "ees-00000000-0000-0000-0000-000000000000",
                load::metadata(self.rows),
                load::events(self.rows),
            ])
            .unwrap();
        self.rows += 1;
    }
}

/// Numbers and texts of a row, owned.
type Row = (i64, String, i64, i64, i64, i64, String, String, String);

/// Reads a page of all columns into owned values. Returns the number of rows.
pub(crate) fn scan(connection: &Connection, from: u64, limit: u64) -> u64 {
    let mut statement = connection.prepare_cached(SCAN).unwrap();
    let rows = statement.query_map([from, limit], |row| Row::try_from(row));
    let rows: Vec<Row> = rows.unwrap().map(Result::unwrap).collect();
    std::hint::black_box(&rows).len() as u64
}
