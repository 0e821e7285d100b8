//! The baseline: PostgreSQL through sqlx, without the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use benches::load::{self, STREAMS};
use benches::report::per_second;
use ees_postgres_testkit::Database;
use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection};

const INSERT: &str = "
    INSERT INTO ees.changesets
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::json, $10::text::json)";

/// All columns.
pub(crate) const WHOLE: &str = "
    COPY (SELECT checkpoint, stream_id, changeset_id, first_event_id, last_event_id, \"timestamp\",
                 commit_id, metadata, events
          FROM ees.changesets ORDER BY checkpoint) TO STDOUT";

/// Clients with a connection each, in a database with the store's own table and indexes.
pub(crate) struct Inserts {
    connections: Vec<PgConnection>,
    next: Arc<AtomicI64>,
}

impl Inserts {
    pub(crate) async fn connect(database: &Database, clients: usize) -> Self {
        let mut connections = Vec::new();
        for _ in 0..clients {
            connections.push(PgConnection::connect(&database.url()).await.unwrap());
        }
        let next = Arc::default();
        Self { connections, next }
    }

    /// Each client inserts and commits one row at a time. Returns commits per second.
    pub(crate) async fn run(&mut self, length: Duration) -> f64 {
        let begun = Instant::now();
        let clients = self.connections.drain(..).map(|mut connection| {
            let next = Arc::clone(&self.next);
            tokio::spawn(async move {
                let mut commits = 0;
                while begun.elapsed() < length {
                    insert(&mut connection, next.fetch_add(1, Ordering::Relaxed)).await;
                    commits += 1;
                }
                (connection, commits)
            })
        });
        let clients: Vec<_> = clients.collect();
        let mut commits = 0;
        for client in clients {
            let (connection, count) = client.await.unwrap();
            self.connections.push(connection);
            commits += count;
        }
        per_second(commits, begun.elapsed())
    }
}

/// Writes one row, in a transaction of its own.
async fn insert(connection: &mut PgConnection, number: i64) {
    let streams = i64::try_from(STREAMS).unwrap();
    let changeset = number / streams;
    let (events, metadata) = (
        load::events(number.unsigned_abs()),
        load::metadata(number.unsigned_abs()),
    );
    sqlx::query(INSERT)
        .bind(number)
        .bind(changeset + 1)
        .bind(changeset * 3 + 1)
        .bind(changeset * 3 + 3)
        .bind(number)
        .bind(i32::try_from(events.len() + metadata.len()).unwrap())
        .bind(format!("order-{}", number % streams))
        .bind("ees-00000000-0000-0000-0000-000000000000")
        .bind(metadata)
        .bind(events)
        .execute(connection)
        .await
        .unwrap();
}

/// The columns that a filter needs.
pub(crate) const SMALL: &str = "
    COPY (SELECT checkpoint, stream_id, event_types FROM ees.changesets ORDER BY checkpoint) TO STDOUT";

/// Copies rows and discards them. Returns their size in bytes.
pub(crate) async fn copy(connection: &mut PgConnection, rows: &str) -> usize {
    let mut rows = connection.copy_out_raw(rows).await.unwrap();
    let mut bytes = 0;
    while let Some(part) = rows.try_next().await.unwrap() {
        bytes += part.len();
    }
    bytes
}
