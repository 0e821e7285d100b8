//! What the suite needs of those who want to be tested.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ees_core::CheckpointStore;
use ees_core::adapter::{StatisticsStore, Storage};

#[cfg(feature = "http")]
use crate::subject::Remote;
use crate::subject::Subject;

/// What a storage promises beyond what all do. What is declared unsupported is asserted to be
/// absent, so that a wrong declaration fails a test.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// What was acknowledged survives a restart (G4).
    pub durable: bool,
    /// A changeset has its checkpoint as soon as its commit is acknowledged.
    pub orders_at_commit: bool,
    /// The most bytes of events and metadata that a changeset may have; cases go right up to it,
    /// so a harness does well to configure a limit of a few megabytes where it can.
    pub max_changeset_bytes: usize,
}

/// A store to be tested: owns all it needs, and gives it back when it is dropped.
///
/// Every case starts one of its own, with a namespace that nobody else writes to.
#[async_trait]
pub trait Harness: Sized + Send + Sync + 'static {
    /// What the storage promises.
    fn capabilities(&self) -> Capabilities;

    /// Starts an empty store.
    async fn start() -> Self;

    /// The store as its users see it.
    fn subject(&self) -> Arc<dyn Subject>;

    /// Stops the store and starts it again over the same data.
    async fn restart(&mut self);

    /// Returns once every acknowledged changeset has its checkpoint.
    async fn settle(&self);
}

/// An adapter: everything that the core asks of a storage.
pub trait Adapter: Storage + StatisticsStore + CheckpointStore {}

impl<T: Storage + StatisticsStore + CheckpointStore> Adapter for T {}

/// A harness that runs in the adapter's own process.
pub trait AdapterHarness: Harness {
    /// The adapter.
    type Storage: Adapter;

    /// The adapter under test.
    fn storage(&self) -> Arc<Self::Storage>;
}

/// A harness that serves the REST contract.
#[cfg(feature = "http")]
pub trait HttpHarness: Harness {
    /// A client of it.
    fn remote(&self) -> Arc<Remote>;
}

/// The longest that a case may take. It decides no test: it only ends one that would never end.
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// Runs one case against a fresh store; what the suite's macros expand to.
pub fn run<H: Harness>(case: impl AsyncFnOnce(&mut H)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the test");
    runtime.block_on(async {
        let mut harness = H::start().await;
        let limited = tokio::time::timeout(TIME_LIMIT, case(&mut harness));
        limited.await.expect("a case that ends");
    });
}
