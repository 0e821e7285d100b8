//! The cases for every store work beside other data: here all of them share one store, and run at
//! the same time. It is never closed, so that what it holds survives what the cases call a restart.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{Capabilities, Harness};
use ees_memory::MemoryStorage;

/// Small, so that the cases that go right up to it are quick.
const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

static STORAGE: LazyLock<Arc<MemoryStorage>> = LazyLock::new(|| {
    let storage = MemoryStorage::with_max_changeset_bytes(MAX_CHANGESET_BYTES);
    Arc::new(storage)
});

struct Shared;

#[async_trait]
impl Harness for Shared {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        Self
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&STORAGE))
    }

    async fn restart(&mut self) {}

    async fn settle(&self) {}
}

/// Names that a crate may have beside the suite's.
mod naming {}
mod durable {}
mod pages {}
/// Attributes, too.
#[allow(unused_imports)]
use tokio::test;

ees_conformance::suite!(Shared);
