//! The database that readers and the writer share.

use std::sync::Arc;

use ees_core::{StorageError, Written};
use redb::{Database, Durability, WriteTransaction};
use tokio::sync::RwLock;

use crate::error::translate;

/// The database; `None` once closed. Every step holds the read lock, and closing waits for the
/// write lock.
pub(crate) type SharedDatabase = Arc<RwLock<Option<Database>>>;

/// Opens a transaction. It waits until no other transaction writes, and its commit is flushed to
/// the disk.
pub(crate) fn begin_write(database: Option<&Database>) -> Result<WriteTransaction, StorageError> {
    let database = database.ok_or_else(StorageError::closed)?;
    let mut transaction = database.begin_write().map_err(translate)?;
    let durable = transaction.set_durability(Durability::Immediate);
    durable.map_err(translate)?;
    Ok(transaction)
}

/// Runs a blocking step on a thread where blocking is allowed. The step runs to its end, even if
/// the caller goes away.
pub(crate) async fn blocking<T: Send + 'static>(
    step: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let stopped = |_| StorageError::unavailable("the step's thread stopped", Written::Unknown);
    let done = tokio::task::spawn_blocking(step).await;
    done.map_err(stopped)?
}
