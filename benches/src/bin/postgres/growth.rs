//! Stores of different sizes.

use benches::load::STREAMS;
use benches::report::Rounds;
use benches::{growth, server};
use ees_postgres_testkit::Server;

use crate::setup;

pub(crate) async fn run(server: &Server, rounds: Rounds, sizes: &[u64]) {
    let mut databases = Vec::new();
    let mut addresses = Vec::new();
    for size in sizes {
        let database = server.database().unwrap();
        let store = setup::store(&database).await;
        setup::fill(&database, size / STREAMS * STREAMS);
        addresses.push(server::start(server::contract(store)).await);
        databases.push(database);
    }
    growth::run("PostgreSQL", rounds, sizes, &addresses).await;
}
