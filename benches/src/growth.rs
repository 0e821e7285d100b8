//! What appends and reads cost in stores of different sizes.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::Method;

use crate::client::{self, Client};
use crate::load::{STREAMS, Streams};
use crate::report::{Rounds, print_growth, rate};
use crate::server;

/// A store of some size, and the rates of its rounds.
struct Store {
    clients: Vec<Client>,
    streams: Arc<Streams>,
    /// The number of changesets of each stream at the beginning.
    length: u64,
    appends: Vec<f64>,
    of_streams: Vec<f64>,
    of_order: Vec<f64>,
}

/// Compares stores of these sizes, each served at its address, with the first one.
pub async fn run(name: &str, rounds: Rounds, sizes: &[u64], addresses: &[SocketAddr]) {
    let mut stores = Vec::new();
    for (size, address) in sizes.iter().zip(addresses) {
        let length = size / STREAMS;
        stores.push(Store {
            clients: server::clients(*address, 16).await,
            streams: Arc::new(Streams::of_length(length)),
            length,
            appends: Vec::new(),
            of_streams: Vec::new(),
            of_order: Vec::new(),
        });
    }
    for round in 0..=rounds.count {
        for store in &mut stores {
            let appends = client::append(&mut store.clients, &store.streams, rounds.length).await;
            let [of_streams, of_order] = store.read(rounds).await;
            if round > 0 {
                store.appends.push(appends);
                store.of_streams.push(of_streams);
                store.of_order.push(of_order);
            }
        }
    }
    let print = |what: &str, of: fn(&Store) -> &Vec<f64>| {
        let rates: Vec<_> = stores.iter().map(of).collect();
        print_growth(&format!("{what} on {name}"), sizes, &rates);
    };
    print("an append over HTTP, 16 clients,", |store| &store.appends);
    print("a read of the end of a stream", |store| &store.of_streams);
    print("a page of 10 of the order", |store| &store.of_order);
}

impl Store {
    /// Reads over HTTP, with one client: the last changeset of streams in no order, and ten changesets from
    /// positions in no order. Returns reads per second.
    async fn read(&mut self, rounds: Rounds) -> [f64; 2] {
        let client = &mut self.clients[0];
        let mut place = 0;
        // The multiple of a prime number in place of a random number: both sides read alike.
        let mut somewhere = |of: u64| {
            place += 7_919;
            place % of
        };
        let of_streams = rate(rounds.length, async || {
            let stream = somewhere(STREAMS);
            let path = format!("/streams/order-{stream}/changesets?direction=backward&limit=1");
            client.call(Method::GET, &path, String::new()).await;
            1
        });
        let of_streams = of_streams.await;
        let size = self.length * STREAMS;
        let of_order = rate(rounds.length, async || {
            let path = format!("/changesets?checkpoint={}&limit=10", somewhere(size));
            client.call(Method::GET, &path, String::new()).await;
            1
        });
        [of_streams, of_order.await]
    }
}
