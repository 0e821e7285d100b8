//! The conformance suite on a database.

use std::sync::Arc;

use async_trait::async_trait;
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{AdapterHarness, Capabilities, Harness};
use ees_core::adapter::Storage;
use ees_postgres::PostgresStorage;
use ees_postgres_testkit::Database;

use crate::support;

/// Small, so that the cases that go right up to it are quick.
const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

struct Postgres {
    storage: Arc<PostgresStorage>,
    database: Database,
}

impl Postgres {
    async fn open(database: &Database) -> Arc<PostgresStorage> {
        let settings = format!("&max_changeset_bytes={MAX_CHANGESET_BYTES}");
        let opened = support::try_open(database, &settings).await;
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
        let storage = Self::open(&database).await;
        Self { storage, database }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.storage))
    }

    async fn restart(&mut self) {
        self.storage.close().await;
        self.storage = Self::open(&self.database).await;
    }

    async fn settle(&self) {}
}

impl AdapterHarness for Postgres {
    type Storage = PostgresStorage;

    fn storage(&self) -> Arc<PostgresStorage> {
        Arc::clone(&self.storage)
    }
}

ees_conformance::adapter_suite!(Postgres);
