//! Appends to stores of different sizes.

use std::sync::Arc;

use benches::in_process;
use benches::load::{STREAMS, Streams};
use benches::report::{Rounds, print_growth};
use ees_postgres_testkit::Server;

use crate::setup;

const CLIENTS: u64 = 16;

pub(crate) async fn run(server: &Server, rounds: Rounds, sizes: &[u64]) {
    let mut stores = Vec::new();
    for size in sizes {
        let length = size / STREAMS;
        let database = server.database().unwrap();
        let store = setup::store(&database).await;
        setup::fill(&database, length * STREAMS);
        let streams = Arc::new(Streams::of_length(length));
        stores.push((database, store, streams, Vec::new()));
    }
    for round in 0..=rounds.count {
        for (_, store, streams, rates) in &mut stores {
            let rate = in_process::append(store, streams, CLIENTS, rounds.length).await;
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    let rates: Vec<_> = stores.iter().map(|(_, _, _, rates)| rates).collect();
    let name = format!("an append on PostgreSQL, {CLIENTS} clients");
    print_growth(&name, sizes, &rates);
}
