//! Opens a file, and checks that it is an event store of the current version.

use std::path::Path;

use redb::{Database, Error, ReadableTable};

use crate::error::OpenError;
use crate::schema::{BY_CHANGESET, BY_EVENT, CHECKPOINTS, KNOWN, LOG, STATISTICS, VERSION};

/// Opens a file. Creates it if it is missing. redb locks the file, so a second process is refused.
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

/// Creates the tables of a new file in one transaction. Returns whether the file is an event store
/// of the current version.
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
