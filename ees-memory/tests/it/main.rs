//! The conformance suite on the memory adapter.

use std::sync::Arc;

use async_trait::async_trait;
use conformance_tests::subject::{Direct, Subject};
use conformance_tests::{AdapterHarness, Capabilities, Harness};
use ees_memory::MemoryStorage;

struct Memory(Arc<MemoryStorage>);

#[async_trait]
impl Harness for Memory {
    const CAPABILITIES: Capabilities = Capabilities {
        durable: false,
        orders_at_commit: true,
        max_changeset_bytes: 6 * 1024 * 1024,
    };

    async fn start() -> Self {
        let limit = Self::CAPABILITIES.max_changeset_bytes;
        Self(Arc::new(MemoryStorage::with_max_changeset_bytes(limit)))
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.0))
    }

    async fn restart(&mut self) {
        *self = Self::start().await;
    }

    async fn settle(&self) {}
}

impl AdapterHarness for Memory {
    type Storage = MemoryStorage;

    fn storage(&self) -> Arc<MemoryStorage> {
        Arc::clone(&self.0)
    }
}

conformance_tests::adapter_suite!(Memory);
