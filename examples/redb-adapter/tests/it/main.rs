//! The conformance suite on a file.

// A test says what is wrong by panicking.
#![allow(clippy::expect_used)]

mod crash;
mod guide;
mod opening;

use std::sync::Arc;

use async_trait::async_trait;
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{Adapter, AdapterHarness, Capabilities, Harness};
use ees_core::adapter::Storage;
use redb_adapter::RedbStorage;
use tempfile::TempDir;

const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

struct Redb {
    folder: TempDir,
    storage: Arc<RedbStorage>,
}

impl Redb {
    async fn open(folder: &TempDir) -> Arc<RedbStorage> {
        let limit = MAX_CHANGESET_BYTES;
        let opened = RedbStorage::open(folder.path().join("ees.redb"), limit).await;
        Arc::new(opened.expect("a store"))
    }
}

#[async_trait]
impl Harness for Redb {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let storage = Self::open(&folder).await;
        Self { folder, storage }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.storage))
    }

    async fn restart(&mut self) {
        self.storage.close().await;
        self.storage = Self::open(&self.folder).await;
    }

    async fn settle(&self) {}
}

impl AdapterHarness for Redb {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.storage.clone()
    }
}

ees_conformance::adapter_suite!(Redb);
