//! The conformance suite on the memory adapter.

use std::sync::Arc;

use async_trait::async_trait;
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{
    Adapter, AdapterHarness, Capabilities, ConsumerHarness, EvidenceHarness, Harness,
};
use ees_core::adapter::{ConsumerStore, Fence, Import, LogStore};
use ees_memory::MemoryStorage;

/// Small, so that the cases that go right up to it are quick.
const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

struct Memory(Arc<MemoryStorage>);

#[async_trait]
impl Harness for Memory {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: false,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let storage = MemoryStorage::with_max_changeset_bytes(MAX_CHANGESET_BYTES);
        Self(Arc::new(storage))
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.0))
    }

    async fn restart(&mut self) {
        *self = Self::start().await;
    }

    async fn settle(&self) {}
}

impl ConsumerHarness for Memory {
    fn consumers(&self) -> Arc<dyn ConsumerStore> {
        Arc::clone(&self.0) as _
    }
}

impl EvidenceHarness for Memory {
    fn log(&self) -> Arc<dyn LogStore> {
        Arc::clone(&self.0) as _
    }

    fn import(&self) -> Arc<dyn Import> {
        Arc::clone(&self.0) as _
    }

    fn fence(&self) -> Option<Arc<dyn Fence>> {
        Some(Arc::clone(&self.0) as _)
    }
}

impl AdapterHarness for Memory {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.0.clone()
    }
}

ees_conformance::adapter_suite!(Memory);

ees_conformance::consumer_suite!(Memory, mod consumers);

ees_conformance::evidence_suite!(Memory, mod evidence);
