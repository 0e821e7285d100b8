//! A projection into an SQL database: what each order still has to pay.

use std::path::Path;
use std::time::Duration;

use ees_core::{Changeset, Checkpoint, Error, EventStore, OutOfRange, PageLimit, UnreadableEvent};
use rusqlite::{Connection, Transaction};

use crate::order::{OrderEvent, UPCASTS};

/// The most changesets of one transaction.
const PAGE: usize = 1000;

/// Why the projection cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TotalsError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// An event has a form that this version does not know. To pass over it would be to miss it.
    #[error(transparent)]
    Event(#[from] UnreadableEvent),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// The database has a checkpoint that is none.
    #[error(transparent)]
    Checkpoint(#[from] OutOfRange),
    /// Another instance has saved a later checkpoint. Nothing was saved.
    #[error("another instance of the projection goes on from here")]
    Overtaken,
}

/// The rows and the checkpoint, in one database.
#[derive(Debug)]
pub struct Totals(Connection);

impl Totals {
    /// Opens the database, or makes an empty one.
    ///
    /// # Errors
    /// [`TotalsError`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, TotalsError> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS open_orders (stream TEXT PRIMARY KEY, cents INTEGER NOT NULL);
             CREATE TABLE IF NOT EXISTS progress (id INTEGER PRIMARY KEY, checkpoint INTEGER NOT NULL);
             INSERT OR IGNORE INTO progress VALUES (1, 0);",
        )?;
        Ok(Self(connection))
    }

    /// The position that it reads next.
    ///
    /// # Errors
    /// [`TotalsError`] if the database fails.
    pub fn checkpoint(&self) -> Result<Checkpoint, TotalsError> {
        let query = "SELECT checkpoint FROM progress";
        let saved: i64 = self.0.query_row(query, (), |row| row.get(0))?;
        Ok(Checkpoint::try_from(saved)?)
    }

    /// Reads the next page, and saves it. Waits if there is nothing to read.
    ///
    /// # Errors
    /// [`TotalsError`]: nothing was saved, and the next call tries the same page again.
    pub async fn read_on(&mut self, store: &EventStore, wait: Duration) -> Result<(), TotalsError> {
        let from = self.checkpoint()?;
        let limit = PageLimit::items(PAGE);
        let page = store.await_changesets(from, limit, wait).await?;
        self.save(from, &page.changesets, page.next)
    }

    /// Saves the rows of a page and the checkpoint after it: both or neither.
    fn save(
        &mut self,
        from: Checkpoint,
        changesets: &[Changeset],
        next: Checkpoint,
    ) -> Result<(), TotalsError> {
        let transaction = self.0.transaction()?;
        for changeset in changesets {
            count(&transaction, changeset)?;
        }
        let update = "UPDATE progress SET checkpoint = ?2 WHERE checkpoint = ?1";
        if transaction.execute(update, (from.as_i64(), next.as_i64()))? == 0 {
            return Err(TotalsError::Overtaken); // The transaction rolls back.
        }
        Ok(transaction.commit()?)
    }

    /// Catches up with everything that was committed before the call.
    ///
    /// # Errors
    /// [`TotalsError`]; what was saved stays saved.
    pub async fn catch_up(&mut self, store: &EventStore) -> Result<(), TotalsError> {
        let head = store.next_checkpoint().await?;
        while self.checkpoint()? < head {
            self.read_on(store, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Reads on until it contains a commit.
    ///
    /// # Errors
    /// [`TotalsError`]; what was saved stays saved.
    pub async fn wait_for(
        &mut self,
        store: &EventStore,
        commit: Checkpoint,
    ) -> Result<(), TotalsError> {
        while self.checkpoint()? <= commit {
            self.read_on(store, Duration::from_secs(20)).await?;
        }
        Ok(())
    }

    /// What all orders together still have to pay, in cents.
    ///
    /// # Errors
    /// [`TotalsError`] if the database fails.
    pub fn open_cents(&self) -> Result<i64, TotalsError> {
        let query = "SELECT coalesce(sum(cents), 0) FROM open_orders";
        Ok(self.0.query_row(query, (), |row| row.get(0))?)
    }
}

/// Adds the events of an order to its row. Passes over streams that are not orders.
fn count(transaction: &Transaction<'_>, changeset: &Changeset) -> Result<(), TotalsError> {
    let stream = changeset.stream_id.as_str();
    if !stream.starts_with("order-") {
        return Ok(());
    }
    for event in UPCASTS.read_events(changeset) {
        let (sign, cents) = match event? {
            OrderEvent::Placed { cents, .. } => (1, cents),
            OrderEvent::Paid { cents } => (-1, cents),
        };
        let upsert = "INSERT INTO open_orders VALUES (?1, ?2 * ?3)
                      ON CONFLICT (stream) DO UPDATE SET cents = cents + excluded.cents";
        transaction.execute(
            upsert,
            (stream, sign, i64::try_from(cents).unwrap_or(i64::MAX)),
        )?;
    }
    Ok(())
}
