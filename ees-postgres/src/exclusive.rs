//! Transactions under the store's lock, beside those of group commit: imports and fences.

use ees_core::StorageError;
use sqlx::{Connection, PgConnection};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::{is_connection_lost, translate, translate_commit};
use crate::session::{Sessions, lock, patiently};

/// Opens a transaction and waits for the lock.
const BEGIN: &str = concat!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ", lock!());

/// A connection of its own, for one transaction at a time.
#[derive(Debug)]
pub(crate) struct Exclusive {
    sessions: Sessions,
    place: Mutex<Place>,
}

/// The connection between two transactions.
#[derive(Debug)]
enum Place {
    Idle(Option<PgConnection>),
    Closed,
}

/// An open transaction that holds the store's lock. Dropped, it is rolled back with its connection.
pub(crate) struct Transaction<'a> {
    pub(crate) connection: PgConnection,
    place: MutexGuard<'a, Place>,
}

impl Exclusive {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self {
            sessions,
            place: Mutex::new(Place::Idle(None)),
        }
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'_>, StorageError> {
        let mut place = self.place.lock().await;
        let Place::Idle(idle) = &mut *place else {
            return Err(StorageError::closed());
        };
        let connection = self.open(idle.take()).await.map_err(translate)?;
        Ok(Transaction { connection, place })
    }

    async fn open(&self, idle: Option<PgConnection>) -> Result<PgConnection, sqlx::Error> {
        if let Some(mut connection) = idle {
            match patiently(sqlx::raw_sql(BEGIN).execute(&mut connection)).await {
                // The connection was lost while it was idle, and no statement has run yet.
                Err(error) if is_connection_lost(&error) => {}
                begun => return begun.map(|_| connection),
            }
        }
        let mut connection = self.sessions.open().await?;
        patiently(sqlx::raw_sql(BEGIN).execute(&mut connection)).await?;
        Ok(connection)
    }

    /// Closes the connection until the next transaction.
    pub(crate) async fn rest(&self) {
        if let Place::Idle(idle) = &mut *self.place.lock().await {
            end(idle.take()).await;
        }
    }

    /// Closes the connection after its transaction. No other one begins.
    pub(crate) async fn close(&self) {
        let place = std::mem::replace(&mut *self.place.lock().await, Place::Closed);
        if let Place::Idle(idle) = place {
            end(idle).await;
        }
    }
}

async fn end(connection: Option<PgConnection>) {
    if let Some(connection) = connection {
        // If this fails, the server notices the lost connection by itself.
        let _ = patiently(connection.close()).await;
    }
}

impl Transaction<'_> {
    pub(crate) async fn commit(mut self) -> Result<(), StorageError> {
        let commit = sqlx::raw_sql("COMMIT").execute(&mut self.connection);
        patiently(commit).await.map_err(translate_commit)?;
        self.give_back();
        Ok(())
    }

    pub(crate) async fn rollback(mut self) {
        let rollback = sqlx::raw_sql("ROLLBACK").execute(&mut self.connection);
        if patiently(rollback).await.is_ok() {
            self.give_back();
        }
    }

    fn give_back(mut self) {
        *self.place = Place::Idle(Some(self.connection));
    }
}
