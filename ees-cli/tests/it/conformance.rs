//! The conformance suite against a running server, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ees_cli::server::Server;
use ees_conformance::subject::{Remote, Subject};
use ees_conformance::{Capabilities, Harness, HttpHarness};
use ees_postgres_testkit::Database;
use tempfile::TempDir;

use crate::{evidence, serving};

/// A server over `memory:`, which signs its log.
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
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("log.key");
        evidence::write_key(&file);
        let mut args = serving::serve_args("memory:");
        args.log_key = Some(file);
        let server = Server::start(&args).await;
        Self(server.expect("a server"))
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

/// What keeps a store's data while its server restarts.
trait DataHome: Send + Sync + Sized + 'static {
    /// The settings besides the limit.
    const SETTINGS: &str = "";

    fn make() -> Self;

    /// The storage's URL, without settings.
    fn storage(&self) -> String;
}

impl DataHome for TempDir {
    fn make() -> Self {
        Self::new().expect("a folder")
    }

    fn storage(&self) -> String {
        format!("sqlite:{}", self.path().join("ees.db").display())
    }
}

impl DataHome for Database {
    const SETTINGS: &str = "&allow_fsync_off=true&connect_timeout=60";

    fn make() -> Self {
        Self::fresh().expect("a database")
    }

    fn storage(&self) -> String {
        self.url()
    }
}

/// A server over such a store.
struct Durable<P> {
    /// Absent only while it restarts.
    server: Option<Server>,
    home: P,
}

type Sqlite = Durable<TempDir>;
type Postgres = Durable<Database>;

async fn serve<P: DataHome>(home: &P) -> Option<Server> {
    let settings = format!("max_changeset_bytes={MAX_CHANGESET_BYTES}{}", P::SETTINGS);
    Some(serving::start(&format!("{}?{settings}", home.storage())).await)
}

#[async_trait]
impl<P: DataHome> Harness for Durable<P> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let home = P::make();
        let server = serve(&home).await;
        Self { server, home }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        self.remote()
    }

    async fn restart(&mut self) {
        let server = self.server.take().expect("a server");
        server.stop().await.expect("G4: the server stops");
        self.server = serve(&self.home).await;
    }

    async fn settle(&self) {}

    /// Servers, a database and their clients share a machine.
    fn time_limit(&self) -> Duration {
        Duration::from_mins(3)
    }
}

impl<P: DataHome> HttpHarness for Durable<P> {
    fn remote(&self) -> Arc<Remote> {
        Remote::new(serving::url(self.server.as_ref().expect("a server")))
    }
}

ees_conformance::http_suite!(Memory, mod memory);
ees_conformance::http_suite!(Postgres, mod postgres);
ees_conformance::http_suite!(Sqlite, mod sqlite);
