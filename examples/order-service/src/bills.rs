//! A projection over a durable consumer that is exactly-once in effect: what it has applied is remembered
//! in the transaction of its rows.

use std::path::Path;

use ees_model::{Projection, Recorded, Upcasts};
use rusqlite::{Connection, Error};

use crate::order::{OrderEvent, UPCASTS};

/// What was paid for each order.
#[derive(Debug)]
pub struct Bills(Connection);

impl Bills {
    /// Opens the database, or makes an empty one.
    ///
    /// # Errors
    /// [`Error`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS applied (stream TEXT PRIMARY KEY, changeset INTEGER NOT NULL);
             CREATE TABLE IF NOT EXISTS bills (stream TEXT PRIMARY KEY, cents INTEGER NOT NULL);",
        )?;
        Ok(Self(connection))
    }

    /// What was paid for all orders together, in cents.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn paid_cents(&self) -> Result<i64, Error> {
        let query = "SELECT coalesce(sum(cents), 0) FROM bills";
        self.0.query_row(query, (), |row| row.get(0))
    }
}

impl Projection for Bills {
    type Event = OrderEvent;
    type Error = Error;

    const UPCASTS: Upcasts = UPCASTS;

    async fn apply(&mut self, changesets: &[Recorded<OrderEvent>]) -> Result<(), Error> {
        let transaction = self.0.transaction()?;
        for changeset in changesets {
            let stream = changeset.stream_id.as_str();
            let remember = "INSERT INTO applied VALUES (?1, ?2)
                            ON CONFLICT (stream) DO UPDATE SET changeset = excluded.changeset
                            WHERE changeset < excluded.changeset";
            if transaction.execute(remember, (stream, changeset.changeset_id.get()))? == 0 {
                continue; // It was applied before.
            }
            for event in &changeset.events {
                if let OrderEvent::Paid { cents } = event {
                    let bill = "INSERT INTO bills VALUES (?1, ?2)
                                ON CONFLICT (stream) DO UPDATE SET cents = cents + excluded.cents";
                    transaction.execute(bill, (stream, cents))?;
                }
            }
        }
        transaction.commit()
    }
}
