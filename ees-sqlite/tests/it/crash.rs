//! SIGKILL of a process with a file.

use std::sync::Arc;

use ees_conformance::crash::CrashHarness;
use ees_sqlite::{SqliteConfig, SqliteStorage};
use tempfile::TempDir;

struct Sqlite(TempDir);

impl CrashHarness for Sqlite {
    type Storage = SqliteStorage;

    async fn start() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn location(&self) -> String {
        self.0.path().join("ees.db").display().to_string()
    }

    async fn open(location: &str) -> Arc<SqliteStorage> {
        let opened = SqliteStorage::open(&SqliteConfig::new(location)).await;
        Arc::new(opened.expect("a store"))
    }
}

ees_conformance::crash_suite!(Sqlite, mod suite);
