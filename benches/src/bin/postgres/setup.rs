//! A durable server, and stores and baselines on it.

use std::sync::Arc;

use benches::load::{self, STREAMS};
use ees_core::EventStore;
use ees_postgres::{PostgresConfig, PostgresStorage};
use ees_postgres_testkit::{Database, Server, Settings};

/// Changesets as the load makes them, in one statement.
const FILL: &str = "
    INSERT INTO ees.changesets
    SELECT n, n / STREAMS + 1, n / STREAMS * 3 + 1, n / STREAMS * 3 + 3, n,
           octet_length('METADATA' || 'EVENTS'), 'order-' || (n % STREAMS),
           'ees-00000000-0000-0000-0000-000000000000', 'METADATA', 'EVENTS', E'TYPES'
    FROM generate_series(0, COUNT - 1) AS n";

/// A durable server without autovacuum and with rare checkpoints, which would disturb a round.
pub(crate) fn server() -> Server {
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let settings = Settings {
        options: vec![
            option("max_wal_size", "8GB"),
            option("checkpoint_timeout", "1h"),
            option("autovacuum", "off"),
        ],
        ..Settings::default()
    };
    Server::with(settings).unwrap()
}

/// A store in a database of its own.
pub(crate) async fn store(database: &Database) -> EventStore {
    let config: PostgresConfig = database.url().parse().unwrap();
    let storage = Arc::new(PostgresStorage::open(&config).await.unwrap());
    EventStore::new(Arc::clone(&storage)).with_consumers(storage)
}

/// Fills a store up to this number of changesets.
pub(crate) fn fill(database: &Database, changesets: u64) {
    let fill = FILL
        .replace("METADATA", &load::metadata(1))
        .replace("EVENTS", &load::events(1))
        .replace("TYPES", &load::TYPES.replace('\n', "\\n"))
        .replace("COUNT", &changesets.to_string())
        .replace("STREAMS", &STREAMS.to_string());
    database.sql(&fill).unwrap();
    database.sql("VACUUM ANALYZE ees.changesets").unwrap();
    database.sql("CHECKPOINT").unwrap();
}
