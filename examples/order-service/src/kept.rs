//! Snapshots of orders in an SQL database: one row for each stream.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use ees_core::StreamId;
use ees_model::{Snapshot, SnapshotError, Snapshots};
use rusqlite::{Connection, OptionalExtension};

/// The snapshots of orders.
#[derive(Debug)]
pub struct KeptOrders(Mutex<Connection>);

impl KeptOrders {
    /// Opens the database, or makes an empty one.
    ///
    /// # Errors
    /// [`rusqlite::Error`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS kept_orders (stream TEXT PRIMARY KEY, snapshot TEXT NOT NULL)",
        )?;
        Ok(Self(Mutex::new(connection)))
    }
}

#[async_trait]
impl Snapshots for KeptOrders {
    async fn load(&self, stream: &StreamId) -> Result<Option<Snapshot>, SnapshotError> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let query = "SELECT snapshot FROM kept_orders WHERE stream = ?1";
        let row = connection.query_row(query, (stream.as_str(),), |row| row.get::<_, String>(0));
        let kept = row.optional()?;
        Ok(kept.map(|kept| serde_json::from_str(&kept)).transpose()?)
    }

    async fn save(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), SnapshotError> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = (stream.as_str(), serde_json::to_string(&snapshot)?);
        connection.execute("INSERT OR REPLACE INTO kept_orders VALUES (?1, ?2)", row)?;
        Ok(())
    }
}
