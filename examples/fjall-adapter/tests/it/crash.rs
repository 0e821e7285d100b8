//! SIGKILL of a process with a store.

use std::sync::Arc;

use ees_conformance::crash::CrashHarness;
use fjall_adapter::FjallStorage;
use tempfile::TempDir;

use crate::MAX_CHANGESET_BYTES;

struct Fjall(TempDir);

impl CrashHarness for Fjall {
    type Storage = FjallStorage;

    async fn start() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn location(&self) -> String {
        self.0.path().join("store").display().to_string()
    }

    async fn open(location: &str) -> Arc<FjallStorage> {
        let opened = FjallStorage::open(location, MAX_CHANGESET_BYTES).await;
        Arc::new(opened.expect("a store"))
    }
}

ees_conformance::crash_suite!(Fjall);
