//! Appends on SQLite against SQLite itself.

use std::sync::Arc;

use benches::load::Streams;
use benches::report::{Rounds, compare};
use benches::{client, in_process, server};
use ees_core::EventStore;
use ees_sqlite::{SqliteConfig, SqliteStorage};

use crate::baseline::Baseline;

const CLIENTS: [u64; 3] = [1, 16, 64];

/// In process, against transactions that have as many rows as there are clients.
pub(crate) async fn run(rounds: Rounds) {
    for count in CLIENTS {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(folder.path().join("ees.db"));
        let store = SqliteStorage::open(&config).await.unwrap();
        let store = EventStore::new(Arc::new(store));
        let streams = Arc::new(Streams::of_length(0));
        let mut baseline = Baseline::create(&folder.path().join("baseline.db")).await;
        compare(
            &format!("append on SQLite, clients: {count}, against transactions of {count} rows"),
            rounds,
            async |length| in_process::append(&store, &streams, count, length).await,
            async |length| baseline.append(count, length),
        )
        .await;
    }
}

/// With a client's key for each commit, against commits without.
pub(crate) async fn run_with_keys(rounds: Rounds) {
    for count in CLIENTS {
        let folder = tempfile::tempdir().unwrap();
        let open = async |name: &str| {
            let config = SqliteConfig::new(folder.path().join(name));
            EventStore::new(Arc::new(SqliteStorage::open(&config).await.unwrap()))
        };
        let (keyed, plain) = (open("keyed.db").await, open("plain.db").await);
        let [ours, theirs] = [(); 2].map(|()| Arc::new(Streams::of_length(0)));
        compare(
            &format!("append on SQLite with keys, clients: {count}, against appends without"),
            rounds,
            async |length| in_process::append_with_keys(&keyed, &ours, count, length).await,
            async |length| in_process::append(&plain, &theirs, count, length).await,
        )
        .await;
    }
}

/// Over HTTP, against transactions of one row.
pub(crate) async fn run_over_http(rounds: Rounds) {
    for count in CLIENTS {
        let folder = tempfile::tempdir().unwrap();
        let address = server::start_sqlite(&folder.path().join("ees.db")).await;
        let count = usize::try_from(count).unwrap();
        let mut clients = server::clients(address, count).await;
        let streams = Arc::new(Streams::of_length(0));
        let mut baseline = Baseline::create(&folder.path().join("baseline.db")).await;
        compare(
            &format!("append over HTTP on SQLite, clients: {count}, against single-row commits"),
            rounds,
            async |length| client::append(&mut clients, &streams, length).await,
            async |length| baseline.append(1, length),
        )
        .await;
    }
}
