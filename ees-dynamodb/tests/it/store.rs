//! A store under test: two tables of its own, and two indexers that are told of commits.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::timeout::TimeoutConfig;
use ees_conformance::faults::{Fault, Faulty};
use ees_conformance::subject::{Direct, Subject, unique};
use ees_conformance::{
    Adapter, AdapterHarness, Capabilities, ConsumerHarness, EvidenceHarness, Harness,
};
use ees_core::adapter::{
    ChangesetKey, Commit, CommitSet, ConsumerStore, Fence, Import, Index, LogStore, Outcome,
    SetOutcome, Storage,
};
use ees_core::indexer::Indexer;
use ees_core::{CommitId, Events, Expectation, Json, Receipt, StorageError, StreamId, Timestamp};
use ees_dynamodb::schema::TableOptions;
use ees_dynamodb::{Admin, DynamoConfig, DynamoStorage, IndexPageSize, SdkConfig};
use ees_dynamodb_testkit::{Emulator, Proxy};

use crate::faults::Faults;

/// The storage, and what was committed through it: what the table's stream would tell.
pub(crate) type Watched = Faulty<Notifications>;

/// Changesets that were committed, and not indexed yet.
#[derive(Default)]
pub(crate) struct Notifications(Mutex<Vec<ChangesetKey>>);

impl Notifications {
    fn take(&self) -> Vec<ChangesetKey> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn notify(&self, receipts: &[Receipt]) {
        let keys = receipts.iter().map(|receipt| ChangesetKey {
            stream_id: receipt.stream_id.clone(),
            changeset_id: receipt.changeset_id,
        });
        self.0.lock().unwrap().extend(keys);
    }

    fn put_back(&self, keys: Vec<ChangesetKey>) {
        self.0.lock().unwrap().extend(keys);
    }
}

#[async_trait]
impl Fault for Notifications {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await?;
        if let Outcome::Committed(receipt) = &outcome {
            self.notify(std::slice::from_ref(receipt));
        }
        Ok(outcome)
    }

    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        let outcome = inner.commit_set(set).await?;
        if let SetOutcome::Committed(receipts) = &outcome {
            self.notify(receipts);
        }
        Ok(outcome)
    }
}

/// How the tables of a store are made.
#[async_trait]
pub(crate) trait Layout: Send + Sync + 'static {
    /// Whether the store is behind faults.
    const FAULTY: bool = false;

    /// The positions in a page of the index.
    const INDEX_PAGE: u64 = 100;

    async fn create(config: &DynamoConfig) {
        create(config).await;
    }
}

/// New tables.
pub(crate) struct New;

impl Layout for New {}

/// Tables without local indexes, whose pages of the index are short enough to be crossed often.
pub(crate) struct WithoutLocalIndexes;

#[async_trait]
impl Layout for WithoutLocalIndexes {
    const INDEX_PAGE: u64 = 3;

    async fn create(config: &DynamoConfig) {
        let options = TableOptions {
            local_indexes: false,
            index_page: IndexPageSize::new(Self::INDEX_PAGE).unwrap(),
        };
        create_with(config, options).await;
    }
}

/// A store in two tables of its own: at the endpoint that `EES_DYNAMODB_ENDPOINT` names, or else on
/// an emulator; behind faults, if it is faulty.
pub(crate) struct Store<T> {
    config: DynamoConfig,
    dynamo: Arc<DynamoStorage>,
    watched: Arc<Watched>,
    faults: Arc<Faults>,
    _proxy: Option<Proxy>,
    emulator: Option<Emulator>,
    _tables: PhantomData<T>,
}

/// The configuration of a new store at an endpoint.
pub(crate) fn config(endpoint: &str) -> DynamoConfig {
    let mut config = DynamoConfig::new(unique("ees"));
    config.endpoint.url = Some(endpoint.to_owned());
    config
}

/// An emulator takes any key, AWS that of the environment. An emulator is part of this process, so
/// it may stand still as long as the process does.
pub(crate) async fn sdk(config: &DynamoConfig) -> SdkConfig {
    let endpoint = config.endpoint.url.as_ref();
    if endpoint.is_some_and(|at| at.starts_with("https:")) {
        return config.endpoint.sdk_from_environment().await;
    }
    let patient = TimeoutConfig::builder().operation_timeout(Duration::from_mins(5));
    let sdk = config.endpoint.sdk_with_key("test", "test").into_builder();
    sdk.timeout_config(patient.build()).build()
}

/// Makes the tables of a store with the default options.
pub(crate) async fn create(config: &DynamoConfig) {
    create_with(config, TableOptions::default()).await;
}

/// Makes the tables of a store.
pub(crate) async fn create_with(config: &DynamoConfig, options: TableOptions) {
    let admin = Admin::new(config, &sdk(config).await)
        .await
        .expect("an operator");
    admin.create_tables_with(options).await.expect("tables");
}

/// Opens a store.
pub(crate) async fn open(config: &DynamoConfig) -> Arc<DynamoStorage> {
    let opened = DynamoStorage::open(config, &sdk(config).await).await;
    Arc::new(opened.expect("a store"))
}

/// A commit of one event behind a stream's last changeset.
pub(crate) fn asked(stream: &str, last: u64) -> Commit {
    Commit {
        stream_id: StreamId::new(stream).unwrap(),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse("[1]").unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

/// Commits one event, which must succeed.
pub(crate) async fn commit(storage: &DynamoStorage, stream: &str, last: u64) {
    let outcome = storage.commit(&asked(stream, last)).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
}

/// Opens a store, and sets two indexers to work.
pub(crate) async fn watch(config: &DynamoConfig) -> (Arc<DynamoStorage>, Arc<Watched>) {
    let dynamo = open(config).await;
    let watched = Faulty::new(Arc::clone(&dynamo) as _, Notifications::default());
    for _ in 0..2 {
        let index = Arc::clone(&dynamo) as Arc<dyn Index>;
        tokio::spawn(keep_indexing(index, Arc::downgrade(&watched)));
    }
    (dynamo, watched)
}

/// Indexes what it is told of until the storage has gone. Where it fails it is told again, as by a
/// table's stream.
async fn keep_indexing(index: Arc<dyn Index>, watched: Weak<Watched>) {
    let mut indexer = Indexer::new(index);
    while let Some(notified) = watched.upgrade().map(|watched| watched.fault().take()) {
        if indexer.index(notified.clone()).await.is_err()
            && let Some(watched) = watched.upgrade()
        {
            watched.fault().put_back(notified);
        }
        // Meanwhile some more come together, as they do from a table's stream.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A whole sweep. A page that DynamoDB was too busy for is tried again.
pub(crate) async fn sweep(index: Arc<dyn Index>) {
    let mut indexer = Indexer::new(index);
    let (mut after, mut failures) = (None, 0);
    loop {
        match indexer.sweep_page(after.as_ref()).await {
            Ok(swept) => {
                assert_eq!(swept.done.refused, [], "G8: everything can be indexed");
                after = swept.next;
                if after.is_none() {
                    return;
                }
            }
            Err(failed) => {
                let is_busy = matches!(failed.source, StorageError::Unavailable { .. });
                failures += 1;
                assert!(is_busy && failures < 50, "G8: {failed}");
            }
        }
    }
}

#[async_trait]
impl<T: Layout> Harness for Store<T> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: false,
            max_changeset_bytes: self.dynamo.max_changeset_bytes(),
        }
    }

    async fn start() -> Self {
        let named = std::env::var("EES_DYNAMODB_ENDPOINT").ok();
        let mut emulator = None;
        let endpoint = if let Some(endpoint) = named.filter(|_| !T::FAULTY) {
            endpoint
        } else {
            let started = emulator.insert(Emulator::start().expect("an emulator"));
            started.endpoint().to_owned()
        };
        let mut config = config(&endpoint);
        T::create(&config).await;
        let faults = Arc::new(Faults::new(T::INDEX_PAGE));
        let mut proxy = None;
        if T::FAULTY {
            let started = Proxy::start(&endpoint, Arc::clone(&faults) as _)
                .await
                .unwrap();
            config.endpoint.url = Some(started.endpoint.clone());
            proxy = Some(started);
        }
        let (dynamo, watched) = watch(&config).await;
        Self {
            config,
            dynamo,
            watched,
            faults,
            _proxy: proxy,
            emulator,
            _tables: PhantomData,
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
        let next = self.dynamo.next_checkpoint().await;
        self.faults.show(next.expect("G6: the end").get());
    }

    /// An emulator that is part of this process takes its share of the machine.
    fn time_limit(&self) -> Duration {
        Duration::from_mins(10)
    }
}

impl<T: Layout> AdapterHarness for Store<T> {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.watched.clone()
    }
}

impl<T: Layout> ConsumerHarness for Store<T> {
    fn consumers(&self) -> Arc<dyn ConsumerStore> {
        self.dynamo.clone()
    }
}

impl<T: Layout> EvidenceHarness for Store<T> {
    fn log(&self) -> Arc<dyn LogStore> {
        self.dynamo.clone()
    }

    fn import(&self) -> Arc<dyn Import> {
        self.dynamo.clone()
    }

    /// The fence of DynamoDB is the stack's.
    fn fence(&self) -> Option<Arc<dyn Fence>> {
        None
    }
}

impl<T> Drop for Store<T> {
    /// Tables elsewhere than on an emulator of our own have to be deleted.
    fn drop(&mut self) {
        if self.emulator.is_some() {
            return;
        }
        let config = self.config.clone();
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let client = aws_sdk_dynamodb::Client::new(&sdk(&config).await);
                for table in [&config.events_table, &config.analysis_table] {
                    let _ = client.delete_table().table_name(table).send().await;
                }
            });
        });
        let _ = deleting.join();
    }
}
