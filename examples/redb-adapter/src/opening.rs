//! Opens a file, and checks that it is an event store of the current version.

use std::path::Path;
use std::{fs, io, process};

use redb::{Database, Error, ReadableTable};

use crate::error::OpenError;
use crate::schema::{
    BY_CHANGESET, BY_EVENT, BY_KEY, CHECKPOINTS, IDENTITY, KNOWN, LOG, STATISTICS, VERSION,
};

/// Opens a file. Creates it if it is missing. redb locks the file, so a second process is refused.
pub(crate) fn open(path: &Path) -> Result<Database, OpenError> {
    let failed = |source| OpenError::Redb {
        path: path.to_owned(),
        source: Box::new(source),
    };
    if !path.exists() {
        make(path).map_err(failed)?;
    }
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

/// Makes a file under another name, and gives it its name when it is complete. redb does not open a
/// file whose creation was interrupted.
fn make(path: &Path) -> Result<(), Error> {
    let beside = path.with_added_extension(process::id().to_string());
    // An earlier process with the same id may have been killed.
    ignore(io::ErrorKind::NotFound, fs::remove_file(&beside))?;
    prepare(&Database::create(&beside)?)?;
    // Another process may have made the file in the meantime.
    ignore(io::ErrorKind::AlreadyExists, fs::hard_link(&beside, path))?;
    Ok(fs::remove_file(&beside)?)
}

fn ignore(kind: io::ErrorKind, result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| {
        if error.kind() == kind {
            Ok(())
        } else {
            Err(error)
        }
    })
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
        transaction.open_table(BY_KEY)?;
        transaction.open_table(STATISTICS)?;
        transaction.open_table(CHECKPOINTS)?;
        transaction.open_table(IDENTITY)?;
    }
    transaction.commit()?;
    Ok(true)
}
