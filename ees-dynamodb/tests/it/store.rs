//! A store under test: two tables of its own, and two indexers that are told of commits.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use conformance_tests::faults::{Fault, Faulty};
use conformance_tests::subject::{Direct, Subject};
use conformance_tests::{Adapter, AdapterHarness, Capabilities, Harness};
use ees_core::Commit;
use ees_core::indexer::Indexer;
use ees_core::ports::{ChangesetKey, Index, Outcome, Storage, StorageError};
use ees_dynamodb::{Admin, DynamoConfig, DynamoStorage, sdk_with_key};

use crate::emulator::Emulator;

/// The storage, and what was committed through it: what the table's stream would tell.
pub(crate) type Watched = Faulty<Notifications>;

/// Changesets that were committed, and not indexed yet.
#[derive(Default)]
pub(crate) struct Notifications(Mutex<Vec<ChangesetKey>>);

impl Notifications {
    fn take(&self) -> Vec<ChangesetKey> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[async_trait]
impl Fault for Notifications {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await?;
        if let Outcome::Committed(receipt) = &outcome {
            self.0.lock().unwrap().push(ChangesetKey {
                stream_id: receipt.stream_id.clone(),
                changeset_id: receipt.changeset_id,
            });
        }
        Ok(outcome)
    }
}

/// A store on an emulator of its own.
pub(crate) struct Store {
    _emulator: Emulator,
    config: DynamoConfig,
    dynamo: Arc<DynamoStorage>,
    watched: Arc<Watched>,
}

/// The configuration of a store at an endpoint.
pub(crate) fn config(endpoint: &str) -> DynamoConfig {
    let mut config = DynamoConfig::new("ees_db");
    config.endpoint = Some(endpoint.to_owned());
    config
}

/// Makes the tables of a store.
pub(crate) async fn create(config: &DynamoConfig) {
    let sdk = sdk_with_key(config, "test", "test");
    let admin = Admin::new(config, &sdk).await.expect("an operator");
    admin.create_tables().await.expect("tables");
}

/// Opens a store.
pub(crate) async fn open(config: &DynamoConfig) -> Arc<DynamoStorage> {
    let sdk = sdk_with_key(config, "test", "test");
    let opened = DynamoStorage::open(config, &sdk).await;
    Arc::new(opened.expect("a store"))
}

/// Opens a store, and sets two indexers to work.
async fn watch(config: &DynamoConfig) -> (Arc<DynamoStorage>, Arc<Watched>) {
    let dynamo = open(config).await;
    let watched = Faulty::new(Arc::clone(&dynamo) as _, Notifications::default());
    for _ in 0..2 {
        let index = Arc::clone(&dynamo) as Arc<dyn Index>;
        tokio::spawn(keep_indexing(index, Arc::downgrade(&watched)));
    }
    (dynamo, watched)
}

/// Indexes what it is told of until the storage has gone. What it leaves behind when it fails is
/// the sweep's to find.
async fn keep_indexing(index: Arc<dyn Index>, watched: Weak<Watched>) {
    let mut indexer = Indexer::new(index);
    while let Some(notified) = watched.upgrade().map(|watched| watched.fault().take()) {
        let _ = indexer.index(notified).await;
        // Meanwhile some more come together, as they do from a table's stream.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A whole sweep.
pub(crate) async fn sweep(index: Arc<dyn Index>) {
    let mut indexer = Indexer::new(index);
    let mut after = None;
    loop {
        let swept = indexer.sweep_page(after.as_ref()).await;
        let swept = swept.expect("G8: a sweep");
        assert_eq!(swept.done.refused, [], "G8: everything can be indexed");
        after = swept.next;
        if after.is_none() {
            return;
        }
    }
}

#[async_trait]
impl Harness for Store {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: false,
            max_changeset_bytes: self.dynamo.max_changeset_bytes(),
        }
    }

    async fn start() -> Self {
        let emulator = Emulator::start().await;
        let config = config(&emulator.endpoint);
        create(&config).await;
        let (dynamo, watched) = watch(&config).await;
        Self {
            _emulator: emulator,
            config,
            dynamo,
            watched,
        }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.watched))
    }

    async fn restart(&mut self) {
        self.dynamo.close().await;
        (self.dynamo, self.watched) = watch(&self.config).await;
    }

    async fn settle(&self) {
        sweep(Arc::clone(&self.dynamo) as _).await;
    }
}

impl AdapterHarness for Store {
    type Storage = Watched;

    fn storage(&self) -> Arc<Watched> {
        Arc::clone(&self.watched)
    }
}
