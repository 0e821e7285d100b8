//! A handler of a durable consumer that is exactly-once in effect: what it has applied is remembered
//! in the transaction of its rows.

use std::path::Path;

use ees_core::{Changeset, UnreadableEvent};
use rusqlite::Connection;

use crate::order::OrderEvent;

/// Why a changeset cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// An event has a form that this version does not know.
    #[error(transparent)]
    Event(#[from] UnreadableEvent),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

/// What was paid for each order.
#[derive(Debug)]
pub struct Bills(Connection);

impl Bills {
    /// Opens the database, or makes an empty one.
    ///
    /// # Errors
    /// [`BillError`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, BillError> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS applied (stream TEXT PRIMARY KEY, changeset INTEGER NOT NULL);
             CREATE TABLE IF NOT EXISTS bills (stream TEXT PRIMARY KEY, cents INTEGER NOT NULL);",
        )?;
        Ok(Self(connection))
    }

    /// Applies a changeset, once in effect.
    ///
    /// # Errors
    /// [`BillError`]: nothing was applied.
    pub fn apply(&mut self, changeset: &Changeset) -> Result<(), BillError> {
        let stream = changeset.stream_id.as_str();
        let transaction = self.0.transaction()?;
        let remember = "INSERT INTO applied VALUES (?1, ?2)
                        ON CONFLICT (stream) DO UPDATE SET changeset = excluded.changeset
                        WHERE changeset < excluded.changeset";
        if transaction.execute(remember, (stream, changeset.changeset_id.get()))? == 0 {
            return Ok(()); // It was applied before.
        }
        for event in changeset.read_events() {
            if let OrderEvent::Paid { cents } = event? {
                let bill = "INSERT INTO bills VALUES (?1, ?2)
                            ON CONFLICT (stream) DO UPDATE SET cents = cents + excluded.cents";
                transaction.execute(bill, (stream, cents))?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// What was paid for all orders together, in cents.
    ///
    /// # Errors
    /// [`BillError`] if the database fails.
    pub fn paid_cents(&self) -> Result<i64, BillError> {
        let query = "SELECT coalesce(sum(cents), 0) FROM bills";
        Ok(self.0.query_row(query, (), |row| row.get(0))?)
    }
}
