//! The database that readers and the writer share.

use std::sync::Arc;

use ees_core::{StorageError, Written};
use redb::{Database, Durability, WriteTransaction};
use tokio::sync::RwLock;

use crate::error::translate;

/// The database; `None` once closed. Every step holds it for reading, so that closing waits for it.
pub(crate) type SharedDatabase = Arc<RwLock<Option<Database>>>;

/// Opens a transaction that waits for every other writer, and is flushed to the disk by its commit.
pub(crate) fn begin_write(database: Option<&Database>) -> Result<WriteTransaction, StorageError> {
    let database = database.ok_or_else(StorageError::closed)?;
    let mut transaction = database.begin_write().map_err(translate)?;
    let durable = transaction.set_durability(Durability::Immediate);
    durable.map_err(translate)?;
    Ok(transaction)
}

/// Runs what blocks where blocking is allowed. It runs to its end, whoever goes away.
pub(crate) async fn blocking<T: Send + 'static>(
    step: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let stopped = |_| StorageError::unavailable("its thread has stopped", Written::Unknown);
    let done = tokio::task::spawn_blocking(step).await;
    done.map_err(stopped)?
}
