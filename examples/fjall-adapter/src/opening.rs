//! Opening and creating a store.
//!
//! Its folder contains the database `store` and a lock file. Fjall cannot create a database
//! atomically, so a new one is made as `new` and renamed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::database::Store;

const STORE: &str = "store";
const NEW: &str = "new";
const LOCK: &str = "lock";

/// The keyspace of what exists once.
const SINGLE: &str = "single";
const VERSION: &str = "version";
/// The version of the layout that this code reads and writes.
const KNOWN: &[u8] = b"fjall-adapter 2";

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder contains something else.
    #[error("{0} is not empty, and no store of this adapter")]
    Foreign(PathBuf),
    /// The layout of the store is not the one that this code knows.
    #[error("{0} has another version, or belongs to another program")]
    OtherVersion(PathBuf),
    /// The store is open already.
    #[error("{0} is open in another process, or twice in this one")]
    Locked(PathBuf),
    /// The folder cannot be read or written.
    #[error("the folder cannot be read or written")]
    Io(#[from] io::Error),
    /// The database cannot be opened.
    #[error("the database cannot be opened")]
    Database(#[from] fjall::Error),
}

pub(crate) fn open(folder: &Path) -> Result<Store, OpenError> {
    fs::create_dir_all(folder)?;
    if !is_ours(folder)? {
        return Err(OpenError::Foreign(folder.to_owned()));
    }
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(folder.to_owned())),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    if !folder.join(STORE).try_exists()? {
        create(folder)?;
    }
    let database = database(&folder.join(STORE))?;
    if !has_known_version(&database)? {
        return Err(OpenError::OtherVersion(folder.to_owned()));
    }
    Ok(Store {
        log: keyspace(&database, "log")?,
        by_changeset: keyspace(&database, "by_changeset")?,
        by_event: keyspace(&database, "by_event")?,
        by_key: keyspace(&database, "by_key")?,
        checkpoints: keyspace(&database, "checkpoints")?,
        single: keyspace(&database, SINGLE)?,
        swapping: Mutex::new(()),
        database,
        _lock: lock,
    })
}

/// Whether the folder is a store, or may become one: it is empty, or a first start was killed.
fn is_ours(folder: &Path) -> io::Result<bool> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let names: Vec<_> = entries.collect::<io::Result<_>>()?;
    Ok(names.iter().any(|name| name == STORE)
        || names.iter().all(|name| name == NEW || name == LOCK))
}

fn has_known_version(database: &Database) -> fjall::Result<bool> {
    if !database.keyspace_exists(SINGLE) {
        return Ok(false);
    }
    let found = keyspace(database, SINGLE)?.get(VERSION)?;
    Ok(found.as_deref() == Some(KNOWN))
}

/// Creates the database under another name. Only the holder of the lock comes here, so what has that
/// name already was left by a start that was killed.
fn create(folder: &Path) -> Result<(), OpenError> {
    let new = folder.join(NEW);
    if new.try_exists()? {
        fs::remove_dir_all(&new)?;
    }
    let database = database(&new)?;
    let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
    batch.insert(&keyspace(&database, SINGLE)?, VERSION, KNOWN);
    batch.commit()?;
    drop(database);
    fs::rename(new, folder.join(STORE))?;
    // The new names must last, too: of the database, and of the folder around it.
    File::open(folder)?.sync_all()?;
    if let Some(parent) = folder.canonicalize()?.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Without automatic writes of the journal, only a batch with a durability leaves the process.
fn database(path: &Path) -> fjall::Result<Database> {
    Database::builder(path).manual_journal_persist(true).open()
}

fn keyspace(database: &Database, name: &str) -> fjall::Result<Keyspace> {
    database.keyspace(name, KeyspaceCreateOptions::default)
}
