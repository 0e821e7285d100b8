//! Appends to stores of different sizes.

use std::path::Path;
use std::sync::Arc;

use ees_core::adapter::Storage;
use ees_sqlite::{SqliteConfig, SqliteStorage};
use sqlx::ConnectOptions;

use benches::load::{self, STREAMS, Streams};
use benches::report::{Rounds, spread};
use benches::{client, server};

use crate::baseline;

/// Changesets as the load makes them, in one statement.
const FILL: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT ?1)
    INSERT INTO changesets
    SELECT n, 'order-' || (n % ?2), n / ?2 + 1, n / ?2 * 3 + 1, n / ?2 * 3 + 3, n,
           'ees-00000000-0000-0000-0000-000000000000', ?3, ?4
    FROM numbers";

/// Creates a store with this number of changesets.
pub(crate) async fn fill(path: &Path, changesets: u64) {
    let storage = SqliteStorage::open(&SqliteConfig::new(path)).await.unwrap();
    storage.close().await;
    let mut connection = baseline::options(path).connect().await.unwrap();
    sqlx::query(FILL)
        .bind(i64::try_from(changesets).unwrap())
        .bind(i64::try_from(STREAMS).unwrap())
        .bind(load::metadata(1))
        .bind(load::events(1))
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::Connection::close(connection).await.unwrap();
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
    let mut stores = sizes.iter().zip(&stores);
    let Some((smallest, (_, _, first))) = stores.next() else {
        return;
    };
    for (size, (_, _, rates)) in stores {
        // The cost of an append is the inverse of the rate.
        let costs = spread(first.iter().zip(rates).map(|(small, large)| small / large));
        println!(
            "cost of an append over HTTP on SQLite, 16 clients, at {size} changesets against \
             {smallest}: {:.2}x (rounds {:.2} to {:.2})",
            costs.median, costs.least, costs.most
        );
    }
}
