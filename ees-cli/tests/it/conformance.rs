//! The conformance suite against a running server, over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use conformance_tests::subject::{Remote, Subject};
use conformance_tests::{Capabilities, Harness, HttpHarness};
use ees_cli::server::Server;
use ees_postgres_testkit::Database;
use tempfile::TempDir;

use crate::serving;

/// A server over `memory:`.
struct Memory(Server);

#[async_trait]
impl Harness for Memory {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: false,
            orders_at_commit: true,
            max_changeset_bytes: 16 * 1024 * 1024,
        }
    }

    async fn start() -> Self {
        Self(serving::start("memory:").await)
    }

    fn subject(&self) -> Arc<dyn Subject> {
        self.remote()
    }

    async fn restart(&mut self) {
        *self = Self::start().await;
    }

    async fn settle(&self) {}
}

impl HttpHarness for Memory {
    fn remote(&self) -> Arc<Remote> {
        Remote::new(serving::url(&self.0))
    }
}

/// Small, so that the cases that go right up to it are quick.
const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

/// A server over a file.
struct Sqlite {
    folder: TempDir,
    /// Absent only while it restarts.
    server: Option<Server>,
}

impl Sqlite {
    async fn serve(folder: &TempDir) -> Option<Server> {
        let file = folder.path().join("ees.db");
        let file = file.display();
        let storage = format!("sqlite:{file}?max_changeset_bytes={MAX_CHANGESET_BYTES}");
        Some(serving::start(&storage).await)
    }
}

#[async_trait]
impl Harness for Sqlite {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let server = Self::serve(&folder).await;
        Self { folder, server }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        self.remote()
    }

    async fn restart(&mut self) {
        let server = self.server.take().expect("a server");
        server.stop().await.expect("G4: the server stops");
        self.server = Self::serve(&self.folder).await;
    }

    async fn settle(&self) {}
}

impl HttpHarness for Sqlite {
    fn remote(&self) -> Arc<Remote> {
        Remote::new(serving::url(self.server.as_ref().expect("a server")))
    }
}

/// A server over a database.
struct Postgres {
    /// Absent only while it restarts.
    server: Option<Server>,
    database: Database,
}

impl Postgres {
    async fn serve(database: &Database) -> Option<Server> {
        let settings = format!("max_changeset_bytes={MAX_CHANGESET_BYTES}&allow_fsync_off=true");
        Some(serving::start(&format!("{}?{settings}", database.url())).await)
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
        let server = Self::serve(&database).await;
        Self { server, database }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        self.remote()
    }

    async fn restart(&mut self) {
        let server = self.server.take().expect("a server");
        server.stop().await.expect("G4: the server stops");
        self.server = Self::serve(&self.database).await;
    }

    async fn settle(&self) {}
}

impl HttpHarness for Postgres {
    fn remote(&self) -> Arc<Remote> {
        Remote::new(serving::url(self.server.as_ref().expect("a server")))
    }
}

mod memory {
    use super::Memory;
    conformance_tests::http_suite!(Memory);
}

mod postgres {
    use super::Postgres;
    conformance_tests::http_suite!(Postgres);
}

mod sqlite {
    use super::Sqlite;
    conformance_tests::http_suite!(Sqlite);
}
