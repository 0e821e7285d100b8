//! Stores of different sizes.

use std::path::Path;

use benches::load::{self, STREAMS};
use benches::report::Rounds;
use benches::{fill, growth, server};

/// Creates a store with this number of changesets.
pub(crate) async fn fill(path: &Path, changesets: u64) {
    let events = load::events(1);
    let changeset = |at| fill::changeset(at, at % STREAMS, at / STREAMS, &events);
    fill::fill_file(path, changesets, changeset).await;
}

pub(crate) async fn run(rounds: Rounds, sizes: &[u64]) {
    let folder = tempfile::tempdir().unwrap();
    let mut addresses = Vec::new();
    for size in sizes {
        let path = folder.path().join(format!("{size}.db"));
        fill(&path, size / STREAMS * STREAMS).await;
        addresses.push(server::start_sqlite(&path).await);
    }
    growth::run("SQLite", rounds, sizes, &addresses).await;
}
