//! The traits that a store under test implements.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ees_core::CheckpointStore;
use ees_core::adapter::{ConsumerStore, Fence, Import, LogStore, StatisticsStore, Storage};

use crate::running::TIME_LIMIT;
#[cfg(feature = "http")]
use crate::subject::Remote;
use crate::subject::Subject;

/// The optional promises of a storage. The cases also assert that an undeclared promise does not
/// hold, so that a wrong declaration fails a test.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities {
    /// Acknowledged commits survive a restart (G4).
    pub durable: bool,
    /// A changeset has its checkpoint as soon as its commit is acknowledged.
    pub orders_at_commit: bool,
    /// The limit on the events and metadata of a changeset, in bytes. Cases commit changesets of
    /// this size. Configure a limit of a few megabytes if the storage allows it.
    pub max_changeset_bytes: usize,
}

/// A store under test. It owns its resources, and releases them when it is dropped.
///
/// Every case starts its own store, with a namespace to which nothing else writes.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// The promises of the storage.
    fn capabilities(&self) -> Capabilities;

    /// Starts an empty store.
    async fn start() -> Self
    where
        Self: Sized;

    /// The store as its users see it.
    fn subject(&self) -> Arc<dyn Subject>;

    /// Stops the store and starts it again over the same data.
    async fn restart(&mut self);

    /// Returns once every acknowledged changeset has its checkpoint.
    async fn settle(&self);

    /// The time limit of a case. Each wait in a case has half of it. The limit only ends a case
    /// that would never end; it must not decide a test. A remote store, or one that is slow by
    /// design, may need a longer limit.
    fn time_limit(&self) -> Duration {
        TIME_LIMIT
    }
}

/// An adapter: all ports that the core calls on a storage.
pub trait Adapter: Storage + StatisticsStore + CheckpointStore {}

impl<T: Storage + StatisticsStore + CheckpointStore> Adapter for T {}

/// A harness that runs in the adapter's own process.
pub trait AdapterHarness: Harness {
    /// The adapter under test.
    fn storage(&self) -> Arc<dyn Adapter>;

    /// The faults of the adapter's own writes, if the harness can cause them: see
    /// [`fault_cases`](crate::fault_cases).
    fn faults(&self) -> Option<Arc<dyn WriteFaults>> {
        None
    }
}

/// A harness of a storage that keeps durable consumers.
pub trait ConsumerHarness: AdapterHarness {
    /// The adapter under test, as a storage of consumers.
    fn consumers(&self) -> Arc<dyn ConsumerStore>;
}

/// A harness of a storage that keeps the hashes of a verifiable log and takes imports.
pub trait EvidenceHarness: AdapterHarness {
    /// The adapter under test, as a storage of a log.
    fn log(&self) -> Arc<dyn LogStore>;

    /// The adapter under test, as the target of an import.
    fn import(&self) -> Arc<dyn Import>;

    /// The adapter under test, as a storage that can be fenced. `None`: it cannot, and the cases of a
    /// fence are not run.
    fn fence(&self) -> Option<Arc<dyn Fence>>;
}

/// What becomes of a stored changeset below the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It vanishes, with everything that leads to it.
    Lost,
    /// Its events are others, as many and of the same types, and valid. The events of the cases are JSON
    /// objects that are not empty.
    Payload,
    /// Something beside the payload is another: its time, its commit id or the types of its events, say.
    Frame,
}

impl Damage {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Lost, Self::Payload, Self::Frame];
}

/// A harness of a storage that tells damage.
#[async_trait]
pub trait DamageHarness: AdapterHarness {
    /// Damages a changeset below the store, while the store is open.
    async fn damage(&self, stream_id: &str, changeset_id: u64, damage: Damage);

    /// The adapter under test, as the target of an import. `None`: it takes none, and the case of an
    /// import is not run.
    fn import_target(&self) -> Option<Arc<dyn Import>> {
        None
    }
}

/// The kinds of failures of an adapter's write, below the storage port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// The write, the flush or the COMMIT fails, and nothing is stored.
    BeforeTheWrite,
    /// The write is stored, and its answer is lost.
    AfterTheWrite,
    /// The write is neither stored nor answered until the fault ends.
    Late,
}

impl WriteFault {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::BeforeTheWrite, Self::AfterTheWrite, Self::Late];

    /// The group of cases that needs this kind.
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
    /// The kinds that it can cause. Cases for the others are reported as not run.
    fn kinds(&self) -> &[WriteFault];

    /// Makes every commit fail in this way from now on.
    async fn begin(&self, fault: WriteFault);

    /// Ends the fault.
    async fn end(&self);
}

/// A harness that serves the REST contract.
#[cfg(feature = "http")]
#[async_trait]
pub trait HttpHarness: Harness {
    /// A client of the server.
    fn remote(&self) -> Arc<Remote>;

    /// Makes the server seal its verifiable log up to the end of the global order, if it keeps one and
    /// does not seal within seconds by itself.
    async fn seal(&self) {}
}
