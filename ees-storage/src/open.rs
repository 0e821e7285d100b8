//! Opens a storage.

use std::fmt;
use std::sync::Arc;

use ees_core::adapter::{
    ConsumerStore, DeferredOrder, Fence, Import, LogStore, StatisticsStore, Storage,
};
use ees_core::{CheckpointStore, EventStore};

use crate::{Adapter, OpenError};

/// A store that is open.
#[derive(Clone)]
#[non_exhaustive]
pub struct OpenStore {
    /// The use cases. [`EventStore::close`] closes the storage.
    pub store: EventStore,
    /// Keeps checkpoints of subscriptions, in the same storage.
    pub checkpoints: Arc<dyn CheckpointStore>,
    /// What an indexer needs, if the storage orders after the commit. Until an indexer runs, such as
    /// `ees_workers::Indexing`, the global order stays as it is.
    pub order: Option<DeferredOrder>,
    /// Writes a copy of another store's order.
    pub import: Arc<dyn Import>,
    /// Ends the commits to the store, for a move. `None`: the storage has another way, as the stack of
    /// DynamoDB has.
    pub fence: Option<Arc<dyn Fence>>,
}

impl fmt::Debug for OpenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenStore")
            .field("store", &self.store)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// Opens the storage that a URL names. PostgreSQL's and AWS's drivers take what the URL leaves out
/// from the environment variables that their users know.
///
/// # Errors
/// [`OpenError::Url`] if the URL is wrong or this build lacks its adapter, [`OpenError::Storage`] if
/// the storage cannot be opened.
///
/// # Panics
/// Outside a tokio runtime, which every adapter but `memory:` needs.
#[cfg_attr(
    not(any(feature = "dynamodb", feature = "postgres", feature = "sqlite")),
    allow(clippy::unused_async)
)]
pub async fn open(url: &str) -> Result<OpenStore, OpenError> {
    let adapter = Adapter::of(url)?;
    // Boxed, as it is large and rare: the futures of all drivers nest deep.
    let opened = Box::pin(open_with(adapter, url)).await?;
    Ok(OpenStore {
        store: opened.store.with_storage_name(adapter.scheme()),
        ..opened
    })
}

/// Opens the storage that a URL names to read it, beside the servers that use it: to export, to copy or to
/// verify it. Only SQLite makes a difference, where otherwise one process alone has a file.
///
/// # Errors
/// As [`open`].
///
/// # Panics
/// As [`open`].
pub async fn open_to_read(url: &str) -> Result<OpenStore, OpenError> {
    match Adapter::of(url)? {
        #[cfg(feature = "sqlite")]
        Adapter::Sqlite => Box::pin(sqlite_to_read(url)).await,
        _ => open(url).await,
    }
}

#[cfg_attr(
    not(any(feature = "dynamodb", feature = "postgres", feature = "sqlite")),
    allow(clippy::unused_async)
)]
async fn open_with(adapter: Adapter, url: &str) -> Result<OpenStore, OpenError> {
    match adapter {
        #[cfg(feature = "dynamodb")]
        Adapter::Dynamodb => dynamodb(url).await,
        #[cfg(feature = "memory")]
        Adapter::Memory => memory(url),
        #[cfg(feature = "postgres")]
        Adapter::Postgres => postgres(url).await,
        #[cfg(feature = "sqlite")]
        Adapter::Sqlite => sqlite(url).await,
        #[allow(unreachable_patterns, reason = "a build may hold every adapter")]
        adapter => Err(OpenError::left_out(url, adapter.scheme())),
    }
}

#[allow(dead_code, reason = "a build may hold no adapter")]
fn over<S>(adapter: Arc<S>) -> OpenStore
where
    S: Storage + StatisticsStore + CheckpointStore + ConsumerStore + LogStore + Import,
{
    let store = EventStore::new(Arc::clone(&adapter));
    OpenStore {
        store: store
            .with_consumers(Arc::clone(&adapter) as _)
            .with_log(Arc::clone(&adapter) as _),
        checkpoints: Arc::clone(&adapter) as _,
        order: None,
        import: adapter,
        fence: None,
    }
}

/// The same, of an adapter that can be fenced.
#[allow(dead_code, reason = "a build may hold no adapter")]
fn over_fence<S>(adapter: Arc<S>) -> OpenStore
where
    S: Storage + StatisticsStore + CheckpointStore + ConsumerStore + LogStore + Import + Fence,
{
    OpenStore {
        fence: Some(Arc::clone(&adapter) as _),
        ..over(adapter)
    }
}

#[cfg(feature = "dynamodb")]
async fn dynamodb(url: &str) -> Result<OpenStore, OpenError> {
    let config: ees_dynamodb::DynamoConfig =
        url.parse().map_err(|error| OpenError::url(url, error))?;
    let sdk = config.endpoint.sdk_from_environment().await;
    let opened = ees_dynamodb::DynamoStorage::open(&config, &sdk).await;
    let storage = Arc::new(opened.map_err(OpenError::storage)?);
    let order = storage.deferred_order(&sdk);
    Ok(OpenStore {
        order: Some(order),
        ..over(storage)
    })
}

#[cfg(feature = "memory")]
fn memory(url: &str) -> Result<OpenStore, OpenError> {
    match url {
        "memory:" => Ok(over_fence(Arc::new(ees_memory::MemoryStorage::new()))),
        _ => Err(OpenError::url(url, "expected `memory:` and nothing more")),
    }
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str) -> Result<OpenStore, OpenError> {
    let config = url.parse().map_err(|error| OpenError::url(url, error))?;
    let opened = ees_postgres::PostgresStorage::open(&config).await;
    Ok(over_fence(Arc::new(opened.map_err(OpenError::storage)?)))
}

#[cfg(feature = "sqlite")]
async fn sqlite(url: &str) -> Result<OpenStore, OpenError> {
    let config = url.parse().map_err(|error| OpenError::url(url, error))?;
    let opened = ees_sqlite::SqliteStorage::open(&config).await;
    Ok(over_fence(Arc::new(opened.map_err(OpenError::storage)?)))
}

#[cfg(feature = "sqlite")]
async fn sqlite_to_read(url: &str) -> Result<OpenStore, OpenError> {
    let config = url.parse().map_err(|error| OpenError::url(url, error))?;
    let opened = ees_sqlite::SqliteStorage::open_to_read(&config).await;
    let storage = Arc::new(opened.map_err(OpenError::storage)?);
    let fence = ees_sqlite::FileFence::of(&config).await;
    Ok(OpenStore {
        // A file that can only be read has none.
        fence: fence.ok().map(|fence| Arc::new(fence) as _),
        ..over(storage)
    })
}
