//! Appends to stores of different sizes.

use std::path::Path;
use std::sync::Arc;

use benches::load::{self, STREAMS, Streams};
use benches::report::{Rounds, print_growth};
use benches::{client, fill, server};

/// Creates a store with this number of changesets.
pub(crate) async fn fill(path: &Path, changesets: u64) {
    let events = load::events(1);
    let changeset = |at| fill::changeset(at, at % STREAMS, at / STREAMS, &events);
    fill::fill_file(path, changesets, changeset).await;
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
