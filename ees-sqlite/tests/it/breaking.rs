//! Makes the writes of a store fail, from a second connection to its file.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;
use ees_conformance::{WriteFault, WriteFaults};
use rusqlite::Connection;

/// Refuses every row of the log.
const REFUSE: &str = "CREATE TRIGGER refuse BEFORE INSERT ON changesets
    BEGIN SELECT raise(ABORT, 'no room'); END";

/// A second connection to the file.
pub(crate) struct Breaking {
    file: PathBuf,
    /// The connection that breaks writes, and the statement that mends them.
    open: Mutex<Option<(Connection, &'static str)>>,
}

impl Breaking {
    pub(crate) fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
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
        let connection = Connection::open(&self.file).expect("a connection");
        connection.execute_batch(begin).expect("a fault");
        *self.open.lock().expect("a lock") = Some((connection, end));
    }

    async fn end(&self) {
        let open = self.open.lock().expect("a lock").take();
        let (connection, end) = open.expect("a fault");
        connection.execute_batch(end).expect("its end");
    }
}
