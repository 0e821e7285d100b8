//! A projection: follows all streams, and keeps the sum of each order in `totals.json`.

use std::collections::BTreeMap;
use std::{env, fs};

use ees_client::{Checkpoint, EventStore, Follow, Start, StoreId, StreamId};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Paid {
    cents: i64,
}

/// The projection, with the position and the store up to which it is right.
#[derive(Default, Serialize, Deserialize)]
struct Totals {
    next: Option<Checkpoint>,
    store: Option<StoreId>,
    cents: BTreeMap<StreamId, i64>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = env::var("EES_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let mut totals: Totals = match fs::read("totals.json") {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(_) => Totals::default(),
    };
    let mut batches = EventStore::new(&url)?.follow_batches(Follow {
        start: totals.next.map_or(Start::First, Start::At),
        store: totals.store,
        ..Follow::default()
    });
    while let Some(batch) = batches.try_next().await? {
        for changeset in &batch.items {
            let sum = totals.cents.entry(changeset.stream_id.clone()).or_default();
            for paid in changeset.read_events::<Paid>() {
                *sum += paid?.cents;
            }
        }
        totals.next = Some(batch.next);
        totals.store = batch.store;
        fs::write("totals.json.new", serde_json::to_vec(&totals)?)?;
        fs::rename("totals.json.new", "totals.json")?;
    }
    Ok(())
}
