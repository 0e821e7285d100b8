//! Appends against plain one-row inserts, one commit each, from as many clients.

use std::sync::Arc;

use benches::in_process::followed::compare_followed;
use benches::load::{Load, Streams};
use benches::report::{Rounds, compare};
use benches::{client, in_process, server};
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
            async |length| in_process::append(&store, &streams, count, length).await,
            async |length| inserts.run(length).await,
        )
        .await;
    }
}

/// With a client's key for each commit, against commits without.
pub(crate) async fn run_with_keys(server: &Server, rounds: Rounds) {
    for count in CLIENTS {
        let (ours, theirs) = (server.database().unwrap(), server.database().unwrap());
        let (keyed, plain) = (setup::store(&ours).await, setup::store(&theirs).await);
        let [ours, theirs] = [(); 2].map(|()| Arc::new(Streams::of_length(0)));
        compare(
            &format!("append on PostgreSQL with keys, clients: {count}, against appends without"),
            rounds,
            async |length| in_process::append_with_keys(&keyed, &ours, count, length).await,
            async |length| in_process::append(&plain, &theirs, count, length).await,
        )
        .await;
    }
}

/// Commits whose events have types, against commits of the same size without.
pub(crate) async fn run_with_types(server: &Server, rounds: Rounds) {
    for count in CLIENTS {
        let (ours, theirs) = (server.database().unwrap(), server.database().unwrap());
        let (typed, plain) = (setup::store(&ours).await, setup::store(&theirs).await);
        let [ours, theirs] = [(); 2].map(|()| Arc::new(Streams::of_length(0)));
        compare(
            &format!("append on PostgreSQL of events with types, clients: {count}, against events without"),
            rounds,
            async |length| in_process::append(&typed, &ours, count, length).await,
            async |length| {
                in_process::append_as(Load::Untyped, &plain, &theirs, count, length).await
            },
        )
        .await;
    }
}

/// Beside a consumer that follows them, against commits without one.
pub(crate) async fn run_beside_a_consumer(server: &Server, rounds: Rounds) {
    let (ours, theirs) = (server.database().unwrap(), server.database().unwrap());
    let (followed, plain) = (setup::store(&ours).await, setup::store(&theirs).await);
    compare_followed("PostgreSQL", rounds, "none", &followed, &plain).await;
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
