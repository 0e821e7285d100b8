//! An emulator, near and far, and stores on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use benches::load;
use ees_core::ports::ChangesetKey;
use ees_core::{EventStore, Events, Expectation, Json, NewChangeset, StreamId};
use ees_dynamodb::{Admin, DynamoConfig, DynamoStorage, SdkConfig, sdk_with_key};
use ees_dynamodb_testkit::Emulator;

use crate::distance::Distance;

/// An emulator, and the way to it.
pub(crate) struct Place {
    emulator: Emulator,
    distance: Distance,
    stores: AtomicUsize,
}

/// A store whose changesets have no positions.
pub(crate) struct Store {
    pub(crate) config: DynamoConfig,
    /// How to reach it from afar.
    pub(crate) distant: SdkConfig,
    pub(crate) keys: Vec<ChangesetKey>,
}

fn sdk(config: &DynamoConfig, endpoint: &str) -> SdkConfig {
    let mut config = config.clone();
    config.endpoint = Some(endpoint.to_owned());
    sdk_with_key(&config, "bench", "bench")
}

impl Place {
    pub(crate) async fn start(delay: Duration) -> Self {
        let emulator = Emulator::start().unwrap();
        let distance = Distance::start(emulator.endpoint(), delay).await;
        Self {
            emulator,
            distance,
            stores: AtomicUsize::new(0),
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.distance.requests()
    }

    /// Makes a store with so many changesets, each in the next of a thousand streams.
    pub(crate) async fn fill(&self, changesets: usize) -> Store {
        let number = self.stores.fetch_add(1, Ordering::Relaxed);
        let mut config = DynamoConfig::new(format!("bench_{number}"));
        config.endpoint = Some(self.emulator.endpoint().to_owned());
        let near = sdk(&config, self.emulator.endpoint());
        let admin = Admin::new(&config, &near).await.unwrap();
        admin.create_tables().await.unwrap();
        let storage = DynamoStorage::open(&config, &near).await.unwrap();
        let store = EventStore::new(Arc::new(storage));
        let mut keys = Vec::new();
        for number in 0..changesets as u64 {
            keys.push(commit(&store, number).await);
        }
        Store {
            distant: sdk(&config, &self.distance.endpoint),
            config,
            keys,
        }
    }

    /// How many requests a commit makes to a stream that the process committed to before.
    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    pub(crate) async fn requests_of_commits(&self, commits: usize) -> f64 {
        let store = EventStore::new(Arc::new(self.fill(0).await.open_distant().await));
        let streams = load::STREAMS.min(10);
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
}

impl Store {
    pub(crate) async fn open_distant(&self) -> DynamoStorage {
        DynamoStorage::open(&self.config, &self.distant)
            .await
            .unwrap()
    }
}

async fn commit(store: &EventStore, number: u64) -> ChangesetKey {
    commit_to(store, number % load::STREAMS, number / load::STREAMS).await
}

/// Commits to a stream that holds so many changesets.
async fn commit_to(store: &EventStore, stream: u64, last: u64) -> ChangesetKey {
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
