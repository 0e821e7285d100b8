//! The memory adapter over HTTP against an axum handler that echoes the body's JSON.

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use ees_core::EventStore;
use ees_memory::MemoryStorage;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use benches::chart::{self, Panel};
use benches::load::Streams;
use benches::report::{Rounds, compare};
use benches::{client, server};

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
    #[serde(borrow)]
    events: &'a RawValue,
}

async fn echo(body: Bytes) -> impl IntoResponse {
    let body: Body<'_> = serde_json::from_slice(&body).unwrap();
    let json = serde_json::to_vec(&body).unwrap();
    ([(CONTENT_TYPE, "application/json")], json)
}

pub(crate) async fn run(rounds: Rounds) -> Panel {
    let mut panel = Panel::new("Appends over HTTP in memory, a second");
    for count in [1, 16] {
        let store = EventStore::new(Arc::new(MemoryStorage::new()));
        let address = server::start(server::contract(store)).await;
        let mut store_clients = server::clients(address, count).await;
        let streams = Arc::new(Streams::of_length(0));
        let echo = Router::new().route("/streams/{stream_id}", post(echo));
        let address = server::start(echo).await;
        let mut echo_clients = server::clients(address, count).await;
        let ignored = Arc::new(Streams::of_length(0));
        let compared = compare(
            &format!("append over HTTP in memory, clients: {count}, against an echo"),
            rounds,
            async |length| client::append(&mut store_clients, &streams, length).await,
            async |length| client::append(&mut echo_clients, &ignored, length).await,
        )
        .await;
        let sides = ["ees-http on ees-memory", "axum, the body sent back"];
        panel.add(&chart::clients(count as u64), sides, &compared);
    }
    panel
}
