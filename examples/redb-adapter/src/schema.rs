//! The tables, and opening a file.

use std::path::Path;

use redb::{Database, Error, ReadableTable, TableDefinition};

use crate::error::OpenError;
use crate::rows::Row;

/// Every changeset, by checkpoint: the only place where one is kept.
pub(crate) const LOG: TableDefinition<u64, Row> = TableDefinition::new("log");

/// Checkpoints by stream and changeset id.
pub(crate) const BY_CHANGESET: TableDefinition<(&str, u64), u64> =
    TableDefinition::new("by_changeset");

/// Checkpoints by stream and last event id.
pub(crate) const BY_EVENT: TableDefinition<(&str, u64), u64> = TableDefinition::new("by_event");

/// The statistics: one row, its version first.
pub(crate) const STATISTICS: TableDefinition<(), [u64; 5]> = TableDefinition::new("statistics");

/// How far subscriptions have come, by name.
pub(crate) const CHECKPOINTS: TableDefinition<&str, u64> = TableDefinition::new("checkpoints");

/// One row: the version of all these.
const VERSION: TableDefinition<(), u64> = TableDefinition::new("ees_version");
const KNOWN: u64 = 1;

/// Opens a file, which is made if it is missing. redb locks it: a second process is refused.
pub(crate) fn open(path: &Path) -> Result<Database, OpenError> {
    let failed = |source| OpenError::Redb {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let database = Database::create(path).map_err(|error| failed(error.into()))?;
    if prepare(&database).map_err(failed)? {
        Ok(database)
    } else {
        Err(OpenError::NotOurs {
            path: path.to_owned(),
            known: KNOWN,
        })
    }
}

/// Makes the tables of a new file, in one transaction; whether the file is ours.
fn prepare(database: &Database) -> Result<bool, Error> {
    let transaction = database.begin_write()?;
    {
        let is_new = transaction.list_tables()?.next().is_none();
        let mut version = transaction.open_table(VERSION)?;
        if is_new {
            version.insert((), KNOWN)?;
        }
        if version.get(())?.is_none_or(|found| found.value() != KNOWN) {
            return Ok(false);
        }
        transaction.open_table(LOG)?;
        transaction.open_table(BY_CHANGESET)?;
        transaction.open_table(BY_EVENT)?;
        transaction.open_table(STATISTICS)?;
        transaction.open_table(CHECKPOINTS)?;
    }
    transaction.commit()?;
    Ok(true)
}
