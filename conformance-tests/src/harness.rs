//! What the suite needs of those who want to be tested.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ees_core::CheckpointStore;
use ees_core::adapter::{StatisticsStore, Storage};

use crate::running::TIME_LIMIT;
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

    /// The longest that a case may take, and twice the longest that it waits for one thing. It
    /// decides no test: it only ends one that would never end. A store that is far away, or slow
    /// by design, may need more.
    fn time_limit(&self) -> Duration {
        TIME_LIMIT
    }
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

    /// Makes the adapter's own writes fail, if the harness can: see
    /// [`fault_cases`](crate::fault_cases).
    fn faults(&self) -> Option<Arc<dyn WriteFaults>> {
        None
    }
}

/// How a write of an adapter fails, below the storage port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// The write, the flush or the COMMIT fails, and nothing lasts.
    BeforeTheWrite,
    /// It is done and lasts, and its answer is lost.
    AfterTheWrite,
    /// It is neither done nor answered until the fault ends.
    Late,
}

impl WriteFault {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::BeforeTheWrite, Self::AfterTheWrite, Self::Late];

    /// The group of cases that asks for it.
    pub fn group(self) -> &'static str {
        match self {
            Self::BeforeTheWrite => "before_the_write",
            Self::AfterTheWrite => "after_the_write",
            Self::Late => "late",
        }
    }
}

/// Makes an adapter's own writes fail, as its database, its disk or its network would.
#[async_trait]
pub trait WriteFaults: Send + Sync {
    /// The ways that it can. Cases for the others are told as not run.
    fn kinds(&self) -> &[WriteFault];

    /// From now on every commit fails in this way.
    async fn begin(&self, fault: WriteFault);

    /// From now on none does.
    async fn end(&self);
}

/// A harness that serves the REST contract.
#[cfg(feature = "http")]
pub trait HttpHarness: Harness {
    /// A client of it.
    fn remote(&self) -> Arc<Remote>;
}
