//! Appends over HTTP on SQLite against single-row commits.

use std::sync::Arc;

use benches::load::Streams;
use benches::report::{Rounds, compare, rate};
use benches::{client, server};

use crate::baseline;

pub(crate) async fn run(rounds: Rounds) {
    for count in [1, 16] {
        let folder = tempfile::tempdir().unwrap();
        let address = server::start_sqlite(&folder.path().join("ees.db")).await;
        let mut clients = server::clients(address, count).await;
        let streams = Arc::new(Streams::of_length(0));
        let mut connection = baseline::open(&folder.path().join("baseline.db")).await;
        let mut number = 0;
        compare(
            &format!("append over HTTP on SQLite, clients: {count}, against single-row commits"),
            rounds,
            async |length| client::append(&mut clients, &streams, length).await,
            async |length| {
                rate(length, async || {
                    baseline::insert(&mut connection, number).await;
                    number += 1;
                    1
                })
                .await
            },
        )
        .await;
    }
}
