//! SIGKILL of a process with a file.

use std::sync::Arc;

use ees_conformance::crash::CrashHarness;
use redb_adapter::RedbStorage;
use tempfile::TempDir;

use crate::MAX_CHANGESET_BYTES;

struct Redb(TempDir);

impl CrashHarness for Redb {
    type Storage = RedbStorage;

    async fn start() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn location(&self) -> String {
        self.0.path().join("ees.redb").display().to_string()
    }

    async fn open(location: &str) -> Arc<RedbStorage> {
        let opened = RedbStorage::open(location, MAX_CHANGESET_BYTES).await;
        Arc::new(opened.expect("a store"))
    }
}

ees_conformance::crash_suite!(Redb);
