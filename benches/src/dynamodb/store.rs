//! Stores, each on an emulator of its own, reached with and without the added latency.

use std::sync::Arc;
use std::time::Duration;

use ees_core::adapter::ChangesetKey;
use ees_core::{EventStore, Events, Expectation, Json, NewChangeset, StreamId};
use ees_dynamodb::{Admin, DynamoConfig, DynamoStorage, SdkConfig};
use ees_dynamodb_testkit::Emulator;

use super::Distance;
use crate::load;

/// A store whose changesets have no positions.
#[derive(Debug)]
pub struct Store {
    /// Its tables.
    pub config: DynamoConfig,
    /// The connection with the added latency.
    pub distant: SdkConfig,
    /// Its changesets.
    pub keys: Vec<ChangesetKey>,
    distance: Distance,
    _emulator: Emulator,
}

fn sdk(config: &DynamoConfig, endpoint: &str) -> SdkConfig {
    let mut config = config.clone();
    config.endpoint.url = Some(endpoint.to_owned());
    config.endpoint.sdk_with_key("bench", "bench")
}

impl Store {
    /// Creates a store with this number of changesets, spread evenly over a thousand streams.
    pub async fn fill(changesets: usize, delay: Duration) -> Self {
        let emulator = Emulator::start().unwrap();
        let distance = Distance::start(emulator.endpoint(), delay).await;
        let config = DynamoConfig::new("bench");
        let near = sdk(&config, emulator.endpoint());
        let admin = Admin::new(&config, &near).await.unwrap();
        admin.create_tables().await.unwrap();
        let storage = DynamoStorage::open(&config, &near).await.unwrap();
        let store = EventStore::new(Arc::new(storage));
        let mut keys = Vec::new();
        for number in 0..changesets as u64 {
            let (stream, last) = (number % load::STREAMS, number / load::STREAMS);
            keys.push(commit_to(&store, stream, last).await);
        }
        Self {
            distant: sdk(&config, &distance.endpoint),
            config,
            keys,
            distance,
            _emulator: emulator,
        }
    }

    /// The number of requests that came through the proxy.
    pub fn requests(&self) -> usize {
        self.distance.requests()
    }

    /// The number of requests of a commit to a stream that the process committed to before.
    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    pub async fn requests_of_commits(&self, commits: usize) -> f64 {
        let store = EventStore::new(Arc::new(self.open_distant().await));
        let streams = 10;
        let one = |number: u64| commit_to(&store, number % streams, number / streams);
        for number in 0..streams {
            one(number).await;
        }
        let before = self.requests();
        for number in streams..streams + commits as u64 {
            one(number).await;
        }
        (self.requests() - before) as f64 / commits as f64
    }

    /// Opens the store with the added latency.
    pub async fn open_distant(&self) -> DynamoStorage {
        DynamoStorage::open(&self.config, &self.distant)
            .await
            .unwrap()
    }
}

/// Commits to a stream that has `last` changesets.
pub async fn commit_to(store: &EventStore, stream: u64, last: u64) -> ChangesetKey {
    let stream_id = StreamId::new(&format!("order-{stream}")).unwrap();
    let events = Events::parse(&load::events(last)).unwrap();
    let asked = NewChangeset::new(stream_id, Expectation::LastChangeset(last), events)
        .with_metadata(Json::parse(&load::metadata(last)).unwrap());
    let receipt = store.commit(asked).await.unwrap();
    ChangesetKey {
        stream_id: receipt.stream_id,
        changeset_id: receipt.changeset_id,
    }
}
