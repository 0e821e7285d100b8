//! Makes the writes of a store fail, from a second connection to its file.

use std::path::Path;

use async_trait::async_trait;
use ees_conformance::{WriteFault, WriteFaults};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor, SqliteConnection};
use tokio::sync::Mutex;

/// Refuses every row of the log.
const REFUSE: &str = "CREATE TRIGGER refuse BEFORE INSERT ON changesets
    BEGIN SELECT raise(ABORT, 'no room'); END";

/// A second connection to the file.
pub(crate) struct Breaking {
    options: SqliteConnectOptions,
    /// The connection that breaks writes, and the statement that mends them.
    open: Mutex<Option<(SqliteConnection, &'static str)>>,
}

impl Breaking {
    pub(crate) fn new(file: &Path) -> Self {
        Self {
            options: SqliteConnectOptions::new().filename(file),
            open: Mutex::default(),
        }
    }
}

#[async_trait]
impl WriteFaults for Breaking {
    fn kinds(&self) -> &[WriteFault] {
        &[WriteFault::BeforeTheWrite, WriteFault::Late]
    }

    async fn begin(&self, fault: WriteFault) {
        let (begin, end) = match fault {
            WriteFault::BeforeTheWrite => (REFUSE, "DROP TRIGGER refuse"),
            WriteFault::Late => ("BEGIN IMMEDIATE", "ROLLBACK"),
            WriteFault::AfterTheWrite => panic!("SQLite tells what became of a COMMIT"),
        };
        let mut connection = self.options.connect().await.expect("a connection");
        connection.execute(begin).await.expect("a fault");
        *self.open.lock().await = Some((connection, end));
    }

    async fn end(&self) {
        let (mut connection, end) = self.open.lock().await.take().expect("a fault");
        connection.execute(end).await.expect("its end");
    }
}
