//! Appends against plain one-row inserts, one commit each, from as many clients.

use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::load::{self, STREAMS, Streams};
use benches::report::{Rounds, compare, per_second};
use benches::{client, server};
use ees_core::{EventStore, Events, Expectation, Json, NewChangeset};
use ees_postgres_testkit::Server;

use crate::baseline::Inserts;
use crate::setup;

const CLIENTS: [u64; 3] = [1, 16, 64];

pub(crate) async fn run(server: &Server, rounds: Rounds) {
    for count in CLIENTS {
        let (ours, theirs) = (server.database().unwrap(), server.database().unwrap());
        let store = setup::store(&ours).await;
        let streams = Arc::new(Streams::of_length(0));
        setup::store(&theirs).await;
        let mut inserts = Inserts::connect(&theirs, usize::try_from(count).unwrap()).await;
        compare(
            &format!("append on PostgreSQL, clients: {count}, against one-row inserts"),
            rounds,
            async |length| append(&store, &streams, count, length).await,
            async |length| inserts.run(length).await,
        )
        .await;
    }
}

pub(crate) async fn run_over_http(server: &Server, rounds: Rounds) {
    for count in CLIENTS {
        let (ours, theirs) = (server.database().unwrap(), server.database().unwrap());
        let store = setup::store(&ours).await;
        let address = server::start(server::contract(store)).await;
        let count = usize::try_from(count).unwrap();
        let mut clients = server::clients(address, count).await;
        let streams = Arc::new(Streams::of_length(0));
        setup::store(&theirs).await;
        let mut inserts = Inserts::connect(&theirs, count).await;
        compare(
            &format!("append over HTTP on PostgreSQL, clients: {count}, against one-row inserts"),
            rounds,
            async |length| client::append(&mut clients, &streams, length).await,
            async |length| inserts.run(length).await,
        )
        .await;
    }
}

/// Appends from concurrent clients, each to streams of its own. Returns commits per second.
pub(crate) async fn append(
    store: &EventStore,
    streams: &Arc<Streams>,
    count: u64,
    length: Duration,
) -> f64 {
    let begun = Instant::now();
    let clients = (0..count).map(|first| {
        let (store, streams) = (store.clone(), Arc::clone(streams));
        tokio::spawn(async move {
            let mut commits = 0;
            let mut stream = first;
            while begun.elapsed() < length {
                commit(&store, stream, streams.advance(stream)).await;
                commits += 1;
                stream += count;
                if stream >= STREAMS {
                    stream = first;
                }
            }
            commits
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut commits = 0;
    for client in clients {
        commits += client.await.unwrap();
    }
    per_second(commits, begun.elapsed())
}

async fn commit(store: &EventStore, stream: u64, last: u64) {
    let name = format!("order-{stream}").parse().unwrap();
    let events = Events::parse(&load::events(last)).unwrap();
    let metadata = Json::parse(&load::metadata(last)).unwrap();
    let asked = NewChangeset::new(name, Expectation::LastChangeset(last), events);
    store.commit(asked.with_metadata(metadata)).await.unwrap();
}
