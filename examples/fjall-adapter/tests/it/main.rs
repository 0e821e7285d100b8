//! The conformance suite, and what it cannot see.

#![allow(clippy::expect_used, reason = "tests")]
mod crash;
mod opening;

use std::sync::Arc;

use async_trait::async_trait;
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{Adapter, AdapterHarness, Capabilities, Harness};
use ees_core::adapter::Storage;
use fjall_adapter::FjallStorage;
use tempfile::TempDir;

/// Small, so that the cases that go right up to it are quick.
const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

struct Fjall {
    folder: TempDir,
    storage: Arc<FjallStorage>,
}

impl Fjall {
    async fn open(folder: &TempDir) -> Arc<FjallStorage> {
        let storage = FjallStorage::open(folder.path(), MAX_CHANGESET_BYTES).await;
        Arc::new(storage.expect("a store"))
    }
}

#[async_trait]
impl Harness for Fjall {
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

impl AdapterHarness for Fjall {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.storage.clone()
    }
}

ees_conformance::adapter_suite!(Fjall);
