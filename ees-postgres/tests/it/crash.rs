//! SIGKILL of two processes on one database.

use std::sync::Arc;
use std::time::Duration;

use ees_conformance::crash::CrashHarness;
use ees_postgres::PostgresStorage;
use ees_postgres_testkit::Database;

struct Postgres(Database);

impl CrashHarness for Postgres {
    type Storage = PostgresStorage;

    const PROCESSES: usize = 2;

    async fn start() -> Self {
        Self(Database::fresh().expect("a database"))
    }

    fn location(&self) -> String {
        // A loaded machine may take long to connect.
        format!("{}?allow_fsync_off=true&connect_timeout=60", self.0.url())
    }

    async fn open(location: &str) -> Arc<PostgresStorage> {
        let config = location.parse().expect("a URL");
        Arc::new(PostgresStorage::open(&config).await.expect("a store"))
    }

    /// All stores share a database server and a machine.
    fn time_limit(&self) -> Duration {
        Duration::from_mins(3)
    }
}

ees_conformance::crash_suite!(Postgres, mod suite);
