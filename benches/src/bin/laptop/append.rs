//! Appends on SQLite against SQLite itself.

use std::sync::Arc;

use benches::chart::{self, Panel};
use benches::load::Streams;
use benches::report::{Rounds, compare};
use benches::{client, in_process, server};
use ees_core::EventStore;
use ees_sqlite::{SqliteConfig, SqliteStorage};

use crate::baseline::Baseline;

const CLIENTS: [u64; 3] = [1, 16, 64];

/// In process, against transactions that have as many rows as there are clients.
pub(crate) async fn run(rounds: Rounds) -> Panel {
    let mut panel = Panel::new("Appends in process on SQLite, a second");
    for count in CLIENTS {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(folder.path().join("ees.db"));
        let store = SqliteStorage::open(&config).await.unwrap();
        let store = EventStore::new(Arc::new(store));
        let streams = Arc::new(Streams::of_length(0));
        let mut baseline = Baseline::create(&folder.path().join("baseline.db")).await;
        let compared = compare(
            &format!("append on SQLite, clients: {count}, against transactions of {count} rows"),
            rounds,
            async |length| in_process::append(&store, &streams, count, length).await,
            async |length| baseline.append(count, length),
        )
        .await;
        let theirs = format!("SQLite alone, transactions of {count}");
        panel.add(&chart::clients(count), ["ees-sqlite", &theirs], &compared);
    }
    panel
}

/// With a client's key for each commit, against commits without.
pub(crate) async fn run_with_keys(rounds: Rounds) -> Panel {
    let mut panel = Panel::new("Appends in process on SQLite with idempotency keys, a second");
    for count in CLIENTS {
        let folder = tempfile::tempdir().unwrap();
        let open = async |name: &str| {
            let config = SqliteConfig::new(folder.path().join(name));
            EventStore::new(Arc::new(SqliteStorage::open(&config).await.unwrap()))
        };
        let (keyed, plain) = (open("keyed.db").await, open("plain.db").await);
        let [ours, theirs] = [(); 2].map(|()| Arc::new(Streams::of_length(0)));
        let compared = compare(
            &format!("append on SQLite with keys, clients: {count}, against appends without"),
            rounds,
            async |length| in_process::append_with_keys(&keyed, &ours, count, length).await,
            async |length| in_process::append(&plain, &theirs, count, length).await,
        )
        .await;
        panel.add(&chart::clients(count), ["with a key", "without"], &compared);
    }
    panel
}

/// Over HTTP, against transactions of one row.
pub(crate) async fn run_over_http(rounds: Rounds) -> Panel {
    let mut panel = Panel::new("Appends over HTTP on SQLite, a second");
    for count in CLIENTS {
        let folder = tempfile::tempdir().unwrap();
        let address = server::start_sqlite(&folder.path().join("ees.db")).await;
        let connections = usize::try_from(count).unwrap();
        let mut connected = server::clients(address, connections).await;
        let streams = Arc::new(Streams::of_length(0));
        let mut baseline = Baseline::create(&folder.path().join("baseline.db")).await;
        let compared = compare(
            &format!("append over HTTP on SQLite, clients: {count}, against single-row commits"),
            rounds,
            async |length| client::append(&mut connected, &streams, length).await,
            async |length| baseline.append(1, length),
        )
        .await;
        let sides = ["ees-http on ees-sqlite", "SQLite alone, transactions of 1"];
        panel.add(&chart::clients(count), sides, &compared);
    }
    panel
}
