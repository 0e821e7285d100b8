//! The use cases of an event store, over any storage.

mod backward;
mod commit;
mod commit_all;
mod global;
mod identity;
mod places;
mod readiness;
mod reading;
mod stream;
mod waiting;
mod watch;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::measure::StorageName;
use crate::ports::{Clock, ConsumerStore, LogStore, StatisticsStore, Storage, SystemClock};
use crate::{Error, Filter, Identity, Statistics};

pub use global::{GlobalEvent, GlobalEventPage};
use places::Places;
pub use waiting::{InPlace, Onward};
use watch::Watch;

/// An event store: the use cases over a storage. Cheap to clone.
///
/// ```
/// # use std::sync::Arc;
/// # use ees_core::{Error, EventStore, Events, Expectation, NewChangeset};
/// # use ees_memory::MemoryStorage;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = EventStore::new(Arc::new(MemoryStorage::new()));
/// let asked = NewChangeset::new("s".parse()?, Expectation::NEW_STREAM, Events::parse("[1]")?);
/// store.commit(asked.clone()).await?;
///
/// let Err(Error::Conflict(conflict)) = store.commit(asked).await else { panic!() };
/// assert_eq!(conflict.forthcoming.items.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EventStore {
    storage: Arc<dyn Storage>,
    statistics: Arc<dyn StatisticsStore>,
    consumers: Option<Arc<dyn ConsumerStore>>,
    log: Option<Arc<dyn LogStore>>,
    clock: Arc<dyn Clock>,
    poll_interval: Duration,
    /// What readers that wait at the head share.
    watch: Arc<Watch>,
    /// Where events of large changesets are.
    places: Arc<Places>,
    /// What reads of the global order select.
    filter: Arc<Filter>,
    /// The name of the storage in metrics.
    name: Arc<StorageName>,
    /// Whether the storage failed the last commit.
    commit_failed: Arc<AtomicBool>,
    /// The identity, once it was read.
    identity: Arc<RwLock<Option<Arc<Identity>>>>,
}

impl EventStore {
    /// The poll interval unless [`EventStore::with_poll_interval`] sets another.
    pub const POLL_INTERVAL: Duration = Duration::from_secs(1);

    /// A store over an adapter.
    pub fn new<S: Storage + StatisticsStore>(storage: Arc<S>) -> Self {
        let statistics: Arc<dyn StatisticsStore> = Arc::clone(&storage) as _;
        Self::from_parts(storage, statistics)
    }

    /// A store over two ports.
    pub fn from_parts(storage: Arc<dyn Storage>, statistics: Arc<dyn StatisticsStore>) -> Self {
        Self {
            storage,
            statistics,
            consumers: None,
            log: None,
            clock: Arc::new(SystemClock),
            poll_interval: Self::POLL_INTERVAL,
            watch: Arc::default(),
            places: Arc::default(),
            filter: Arc::default(),
            name: Arc::new(StorageName::new("other")),
            commit_failed: Arc::default(),
            identity: Arc::default(),
        }
    }

    /// The same store with a storage for durable consumers ([`EventStore::consumers`]).
    #[must_use]
    pub fn with_consumers(mut self, consumers: Arc<dyn ConsumerStore>) -> Self {
        self.consumers = Some(consumers);
        self
    }

    /// The same store with a storage for the hashes of a verifiable log.
    #[must_use]
    pub fn with_log(mut self, log: Arc<dyn LogStore>) -> Self {
        self.log = Some(log);
        self
    }

    /// The storage for durable consumers, if the store has one.
    pub fn consumer_store(&self) -> Option<&Arc<dyn ConsumerStore>> {
        self.consumers.as_ref()
    }

    /// The storage for the hashes of a verifiable log, if the store has one.
    pub fn log_store(&self) -> Option<&Arc<dyn LogStore>> {
        self.log.as_ref()
    }

    /// The same store with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self.watch = Arc::default();
        self
    }

    /// The same store with another poll interval: how often the store looks for commits that no
    /// wake-up announced, while readers wait. Readers that wait at the head of the global order share
    /// one look; a reader that waits for a stream looks for itself. A shorter interval shows commits of
    /// other processes sooner. A longer one costs fewer reads. Clones made before keep the former
    /// interval, and looks of their own.
    #[must_use]
    pub fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self.watch = Arc::default();
        self
    }

    /// The same store with a filter: reads of the global order, waiting readers and subscriptions get
    /// only what it selects (G15). It replaces an earlier filter.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use ees_core::{Checkpoint, EventStore, Filter, Subscription};
    /// # use ees_memory::MemoryStorage;
    /// # let store = EventStore::new(Arc::new(MemoryStorage::new()));
    /// let paid = store.with_filter(Filter::default().stream_prefix("order-").event_type("paid"));
    /// let subscription = Subscription::new(&paid, Checkpoint::FIRST);
    /// ```
    ///
    /// One read looks at a bounded number of changesets ([`Look`](crate::adapter::Look)), so a page
    /// may be empty while its `next` is beyond the requested checkpoint. Reads of streams, commits and
    /// statistics do not depend on the filter.
    #[must_use]
    pub fn with_filter(&self, filter: Filter) -> Self {
        Self {
            filter: Arc::new(filter),
            ..self.clone()
        }
    }

    /// The same store, whose metrics call its storage by this name; `other` unless given.
    #[must_use]
    pub fn with_storage_name(mut self, name: &'static str) -> Self {
        self.name = Arc::new(StorageName::new(name));
        self
    }

    /// The statistics that the projector saved last. They are exact for all checkpoints below their
    /// version.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn statistics(&self) -> Result<Statistics, Error> {
        Ok(self.statistics.load_statistics().await?)
    }

    /// Finishes the commits that were accepted and releases files, locks and connections. Afterwards
    /// every call fails with [`StorageError::Unavailable`](crate::StorageError::Unavailable), on all
    /// clones of the store. May be called again.
    pub async fn close(&self) {
        self.storage.close().await;
    }

    /// The largest size of events and metadata of a changeset, in bytes.
    pub fn max_changeset_bytes(&self) -> usize {
        self.storage.max_changeset_bytes()
    }

    pub(crate) fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    pub(crate) fn statistics_store(&self) -> &Arc<dyn StatisticsStore> {
        &self.statistics
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }
}

impl fmt::Debug for EventStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStore")
            .field("poll_interval", &self.poll_interval)
            .finish_non_exhaustive()
    }
}
