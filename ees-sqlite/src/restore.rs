//! Puts a copy of a store in place of the store.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use ees_core::{Checkpoint, Identity, StorageError, Timestamp};
use rusqlite::Connection;

use crate::OpenError;
use crate::beside::{LOG, SHARED_MEMORY, beside, folder, sync_folder};
use crate::connect::{open_immutable, open_reader};
use crate::error::open_error;
use crate::lock::{WriterLock, resolve};
use crate::opening::{self, open_file};
use crate::ours::check_ours;
use crate::{identity, migrations, reads, state, threads};

/// The most subscriptions that are listed.
const MAX_AHEAD: u32 = 100;

const AHEAD: &str = "
    SELECT subscription, checkpoint FROM checkpoints WHERE checkpoint > ?1
    ORDER BY checkpoint DESC LIMIT ?2";

/// A restore failed. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The store is in use, or its file cannot be reached.
    #[error(transparent)]
    Store(OpenError),
    /// The copy is missing, is not an event store, or is of a newer version.
    #[error(transparent)]
    Copy(OpenError),
    /// The copy and the store are one file.
    #[error("`{}` is the store itself; name a copy of it", .0.display())]
    SameFile(PathBuf),
    /// The copy is not complete without the file beside it.
    #[error("`{file}` has a write-ahead log beside it, `{file}-wal`: it was copied by other means than `ees backup`, or it is in use. Start `ees` on it once and stop it, or make a copy with `ees backup`", file = .0.display())]
    HasLog(PathBuf),
    /// The copy fails SQLite's integrity check, or a row of it is not as it was written.
    #[error("`{}` is damaged: {finding}. Restore another copy", path.display())]
    Damaged {
        /// The copy.
        path: PathBuf,
        /// The first finding of the checks.
        finding: String,
    },
    /// The stored identity of the copy cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Identity {
        /// The copy.
        path: PathBuf,
        /// What was found.
        r#source: StorageError,
    },
    /// A file could not be written, linked or renamed.
    #[error("`{}` could not be replaced: {source}", path.display())]
    Write {
        /// The store.
        path: PathBuf,
        /// The error of the operating system.
        r#source: io::Error,
    },
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// The head of the restored store: the number of its changesets.
    pub head: Checkpoint,
    /// The identity that it got.
    pub identity: Identity,
    /// The file that was replaced, if there was one.
    pub replaced: Option<Replaced>,
}

/// The store that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Replaced {
    /// Where its file is now, with its `-wal` and `-shm`, if it had them.
    pub path: PathBuf,
    /// Its head, if it could be read.
    pub head: Option<Checkpoint>,
    /// Its saved subscriptions that are beyond the head of the copy, and their checkpoints; at most
    /// 100.
    pub ahead: Vec<(String, Checkpoint)>,
}

/// Puts a copy of a store, as [`backup`](crate::backup()) makes it, in place of a store that nobody
/// serves.
///
/// The copy is checked, copied beside the store, upgraded to the current schema, and gets a new id. Then
/// it takes the place of the store's file. The old file is kept under another name, with its `-wal` and
/// `-shm`. If the process is killed in between, the store is not opened until the call is repeated.
///
/// # Errors
/// [`RestoreError`]. The store is then as it was.
pub async fn restore(copy: &Path, store: &Path) -> Result<Restored, RestoreError> {
    let (from, to) = (copy.to_owned(), store.to_owned());
    let done = threads::run("ees-sqlite-restore", move || replace(&from, &to)).await;
    done.map_err(|source| write_error(store, source))?
}

fn replace(copy: &Path, store: &Path) -> Result<Restored, RestoreError> {
    check_copy(copy)?;
    let store = resolve(store).map_err(|source| write_error(store, source))?;
    if copy.canonicalize().is_ok_and(|copy| copy == store) {
        return Err(RestoreError::SameFile(copy.to_owned()));
    }
    let lock = WriterLock::acquire(&store).map_err(RestoreError::Store)?;
    let partial = beside(&store, ".restoring");
    let failed = |source| write_error(&store, source);
    remove(&partial).map_err(failed)?;
    let mut old = look_at(&store);
    let prepared = prepare(copy, &partial, old.as_mut());
    // The connection to the old file ends here.
    let told = old.map(|old| old.told).unwrap_or_default();
    let swapped = prepared.and_then(|(identity, head)| {
        let path = swap(&partial, &store).map_err(failed)?;
        lock.memory.store(identity.id);
        lock.memory.end(head);
        Ok(Restored {
            head,
            identity,
            replaced: path.map(|path| Replaced { path, ..told }),
        })
    });
    swapped.inspect_err(|_| drop(remove(&partial)))
}

fn check_copy(copy: &Path) -> Result<(), RestoreError> {
    if !copy.is_file() {
        return Err(RestoreError::Copy(OpenError::Missing(copy.to_owned())));
    }
    if fs::metadata(beside(copy, LOG)).is_ok_and(|log| log.len() > 0) {
        return Err(RestoreError::HasLog(copy.to_owned()));
    }
    let refused = |error| match error {
        OpenError::Damaged { path, finding } => RestoreError::Damaged { path, finding },
        error => RestoreError::Copy(error),
    };
    check_ours(copy).map_err(refused)?;
    let unread = |error| refused(open_error(copy, error));
    let connection = open_immutable(copy).map_err(unread)?;
    migrations::check_known(copy, &connection).map_err(refused)?;
    migrations::check_content(&connection).map_err(|error| RestoreError::Damaged {
        path: copy.to_owned(),
        finding: error.to_string(),
    })
}

/// What is known of the store that is replaced.
struct Old {
    identity: Option<Identity>,
    connection: Connection,
    told: Replaced,
}

/// Looks at the store that is replaced, if it can be read. It may be damaged: that may be why it is
/// replaced.
fn look_at(store: &Path) -> Option<Old> {
    let connection = store.exists().then(|| open_reader(store).ok())??;
    Some(Old {
        identity: identity::load(&connection).ok().flatten(),
        told: Replaced {
            head: reads::end_of_rows(&connection).ok(),
            ..Replaced::default()
        },
        connection,
    })
}

/// Makes the file that takes the store's place.
fn prepare(
    copy: &Path,
    partial: &Path,
    old: Option<&mut Old>,
) -> Result<(Identity, Checkpoint), RestoreError> {
    let failed = |source| write_error(partial, source);
    fs::copy(copy, partial).map_err(failed)?;
    let mut connection = open_file(partial).map_err(RestoreError::Store)?;
    opening::prepare(partial, &mut connection).map_err(RestoreError::Store)?;
    let unread = |source| RestoreError::Identity {
        path: copy.to_owned(),
        source,
    };
    let head = state::end(&connection).map_err(unread)?;
    let stored = identity::load(&connection).map_err(unread)?;
    let replaced = old.as_ref().and_then(|old| old.identity.as_ref());
    let next = match stored {
        Some(stored) => stored.replacing(replaced, head),
        None => Identity::generate(None),
    };
    let unwritten = |error| RestoreError::Store(open_error(partial, error));
    identity::overwrite(&connection, &next).map_err(unwritten)?;
    connection.close().map_err(|(_, error)| unwritten(error))?;
    File::open(partial)
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    if let Some(old) = old {
        old.told.ahead = ahead(&old.connection, head).unwrap_or_default();
    }
    Ok((next, head))
}

fn ahead(
    connection: &Connection,
    head: Checkpoint,
) -> Result<Vec<(String, Checkpoint)>, rusqlite::Error> {
    let mut statement = connection.prepare(AHEAD)?;
    let rows = statement.query_map((head.as_i64(), MAX_AHEAD), |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?.into_iter();
    Ok(rows
        .filter_map(|(name, checkpoint)| Some((name, checkpoint.try_into().ok()?)))
        .collect())
}

/// Replaces the store's file; returns where the old one is. While the old file has two names, the store
/// is not opened, so a process that is killed here leaves nothing that would be taken for a store.
fn swap(partial: &Path, store: &Path) -> io::Result<Option<PathBuf>> {
    let is_there = store.exists();
    let old = beside(store, &format!(".replaced-{}", compact(Timestamp::now())));
    if is_there {
        fs::hard_link(store, &old)?;
    }
    for suffix in [LOG, SHARED_MEMORY] {
        let file = beside(store, suffix);
        if file.exists() {
            fs::rename(&file, beside(&old, suffix))?;
        }
    }
    fs::rename(partial, store)?;
    sync_folder(folder(store))?;
    Ok(is_there.then_some(old))
}

/// A time for the name of a file: its digits.
fn compact(time: Timestamp) -> String {
    let text = time.to_string();
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Removes what an interrupted restore left.
fn remove(partial: &Path) -> io::Result<()> {
    for suffix in ["", LOG, SHARED_MEMORY] {
        match fs::remove_file(beside(partial, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn write_error(store: &Path, source: io::Error) -> RestoreError {
    RestoreError::Write {
        path: store.to_owned(),
        source,
    }
}
