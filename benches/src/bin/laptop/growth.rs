//! Appends to stores of different sizes.

use std::path::Path;
use std::sync::Arc;

use ees_core::adapter::Storage;
use ees_sqlite::{SqliteConfig, SqliteStorage};
use rusqlite::params;

use benches::load::{self, STREAMS, Streams};
use benches::report::{Rounds, print_growth};
use benches::{client, server};

use crate::baseline;

/// Changesets as the load makes them, in one statement.
const FILL: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT ?1)
    INSERT INTO changesets (checkpoint, stream_id, changeset_id, first_event_id, last_event_id,
                            timestamp, commit_id, metadata, events, event_types)
    SELECT n, 'order-' || (n % ?2), n / ?2 + 1, n / ?2 * 3 + 1, n / ?2 * 3 + 3, n,
           'ees-00000000-0000-0000-0000-000000000000', ?3, ?4, ?5
    FROM numbers";

/// Creates a store with this number of changesets.
pub(crate) async fn fill(path: &Path, changesets: u64) {
    let storage = SqliteStorage::open(&SqliteConfig::new(path)).await.unwrap();
    storage.close().await;
    let connection = baseline::connect(path);
    let streams = i64::try_from(STREAMS).unwrap();
    let row = params![
        changesets,
        streams,
        load::metadata(1),
        load::events(1),
        load::TYPES
    ];
    connection.execute(FILL, row).unwrap();
}

pub(crate) async fn run(rounds: Rounds, sizes: &[u64]) {
    let folder = tempfile::tempdir().unwrap();
    let mut stores = Vec::new();
    for size in sizes {
        let length = size / STREAMS;
        let path = folder.path().join(format!("{size}.db"));
        fill(&path, length * STREAMS).await;
        let clients = server::clients(server::start_sqlite(&path).await, 16).await;
        stores.push((clients, Arc::new(Streams::of_length(length)), Vec::new()));
    }
    for round in 0..=rounds.count {
        for (clients, streams, rates) in &mut stores {
            let rate = client::append(clients, streams, rounds.length).await;
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    let rates: Vec<_> = stores.iter().map(|(_, _, rates)| rates).collect();
    print_growth("an append over HTTP on SQLite, 16 clients", sizes, &rates);
}
