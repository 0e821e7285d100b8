//! Appends to stores of different sizes.

use std::sync::Arc;

use benches::load::{STREAMS, Streams};
use benches::report::{Rounds, spread};
use ees_postgres_testkit::Server;

use crate::{append, setup};

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
            let rate = append::append(store, streams, CLIENTS, rounds.length).await;
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    let mut stores = sizes.iter().zip(&stores);
    let Some((smallest, (_, _, _, first))) = stores.next() else {
        return;
    };
    for (size, (_, _, _, rates)) in stores {
        // The cost of an append is the inverse of the rate.
        let costs = spread(first.iter().zip(rates).map(|(small, large)| small / large));
        println!(
            "cost of an append on PostgreSQL, {CLIENTS} clients, at {size} changesets against \
             {smallest}: {:.2}x (rounds {:.2} to {:.2})",
            costs.median, costs.least, costs.most
        );
    }
}
