//! The conformance suite on a database.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{
    Adapter, AdapterHarness, Capabilities, ConsumerHarness, EvidenceHarness, Harness, WriteFault,
    WriteFaults,
};
use ees_core::adapter::{ConsumerStore, Fence, Import, LogStore, Storage};
use ees_postgres::PostgresStorage;
use ees_postgres_testkit::Database;

use crate::proxy::{Cut, Proxy};

/// Small, so that the cases that go right up to it are quick.
const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

pub(crate) struct Postgres {
    pub(crate) storage: Arc<PostgresStorage>,
    proxy: Arc<Proxy>,
    pub(crate) database: Database,
}

impl Postgres {
    async fn open(proxy: &Proxy) -> Arc<PostgresStorage> {
        let opened = PostgresStorage::open(&proxy.config).await;
        Arc::new(opened.expect("a store"))
    }
}

#[async_trait]
impl Harness for Postgres {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let database = Database::fresh().expect("a database");
        // A loaded machine may take long to connect.
        let settings = format!("&connect_timeout=60&max_changeset_bytes={MAX_CHANGESET_BYTES}");
        let proxy = Proxy::start_with(&database, Cut::Before, &settings).await;
        let storage = Self::open(&proxy).await;
        Self {
            storage,
            proxy: Arc::new(proxy),
            database,
        }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.storage))
    }

    async fn restart(&mut self) {
        self.storage.close().await;
        self.storage = Self::open(&self.proxy).await;
    }

    async fn settle(&self) {}

    /// All stores share a database server and a machine.
    fn time_limit(&self) -> Duration {
        Duration::from_mins(3)
    }
}

impl ConsumerHarness for Postgres {
    fn consumers(&self) -> Arc<dyn ConsumerStore> {
        Arc::clone(&self.storage) as _
    }
}

impl EvidenceHarness for Postgres {
    fn log(&self) -> Arc<dyn LogStore> {
        Arc::clone(&self.storage) as _
    }

    fn import(&self) -> Arc<dyn Import> {
        Arc::clone(&self.storage) as _
    }

    fn fence(&self) -> Option<Arc<dyn Fence>> {
        Some(Arc::clone(&self.storage) as _)
    }
}

impl AdapterHarness for Postgres {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.storage.clone()
    }

    fn faults(&self) -> Option<Arc<dyn WriteFaults>> {
        Some(Arc::clone(&self.proxy) as Arc<dyn WriteFaults>)
    }
}

/// The way to the database is cut at COMMIT.
#[async_trait]
impl WriteFaults for Proxy {
    fn kinds(&self) -> &[WriteFault] {
        &[WriteFault::BeforeTheWrite, WriteFault::AfterTheWrite]
    }

    async fn begin(&self, fault: WriteFault) {
        match fault {
            WriteFault::BeforeTheWrite => self.cut_all(Cut::Before),
            WriteFault::AfterTheWrite => self.cut_all(Cut::After),
            WriteFault::Late => panic!("a connection is cut, not held"),
        }
    }

    async fn end(&self) {
        self.mend();
    }
}

ees_conformance::adapter_suite!(
    Postgres, mod suite, faults: before_the_write, after_the_write
);

ees_conformance::consumer_suite!(Postgres, mod consumers);

ees_conformance::evidence_suite!(Postgres, mod evidence);
