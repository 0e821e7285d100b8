//! Online backup.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::OpenError;
use crate::beside::{beside, folder, sync_folder};
use crate::lock::real_path;
use crate::opening::{check_ours, open_immutable, open_reader};
use crate::threads;

/// A backup failed. No file exists under the target's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The store cannot be read.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// The target already exists.
    #[error("`{}` already exists and was not changed; name a new file", .0.display())]
    Exists(PathBuf),
    /// The store could not be copied.
    #[error("`{}` could not be written: {source}", path.display())]
    Copy {
        /// The target.
        path: PathBuf,
        /// The error of SQLite.
        r#source: rusqlite::Error,
    },
    /// The target could not be written or flushed to the disk.
    #[error("`{}` could not be written: {source}", path.display())]
    Write {
        /// The target.
        path: PathBuf,
        /// The error of the operating system.
        r#source: io::Error,
    },
    /// The copy failed SQLite's integrity check.
    #[error("the copy of `{}` failed SQLite's integrity check: {finding}. Check the disk", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// The first finding of the check.
        finding: String,
    },
}

/// The size of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// The number of changesets in it.
    pub changesets: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Copies a store into a new file. The store may be in use.
///
/// The copy contains every changeset that was acknowledged before the call began. The copy must
/// pass SQLite's integrity check and is flushed to the disk before it gets the target's name. A
/// server can read and write the store in the meantime. Its write-ahead log grows by what it writes
/// until the copy is complete.
///
/// [`restore`](crate::restore()) puts it in place of a store.
///
/// # Errors
/// [`BackupError`]. No file is left under the target's name.
pub async fn backup(store: &Path, target: &Path) -> Result<Backup, BackupError> {
    let (from, to) = (store.to_owned(), target.to_owned());
    let done = threads::run("ees-sqlite-backup", move || copy(&from, &to)).await;
    done.map_err(|source| BackupError::Write {
        path: target.to_owned(),
        source,
    })?
}

fn copy(store: &Path, target: &Path) -> Result<Backup, BackupError> {
    let store = real_path(store)?;
    if !store.exists() {
        return Err(OpenError::Missing(store).into());
    }
    check_ours(&store)?;
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    if !folder(target).is_dir() {
        return Err(BackupError::Write {
            path: target.to_owned(),
            source: io::Error::other("its folder does not exist"),
        });
    }
    let partial = beside(target, ".partial");
    let result = copy_and_check(&store, &partial, target);
    if result.is_err() {
        let _ = fs::remove_file(&partial);
    }
    result
}

fn copy_and_check(store: &Path, partial: &Path, target: &Path) -> Result<Backup, BackupError> {
    let copy = |source| BackupError::Copy {
        path: target.to_owned(),
        source,
    };
    let write = |source| BackupError::Write {
        path: target.to_owned(),
        source,
    };
    match fs::remove_file(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(write(error)),
        _ => {}
    }
    vacuum_into(store, partial).map_err(copy)?;
    let (finding, changesets) = check(partial).map_err(copy)?;
    if finding != "ok" {
        let path = store.to_owned();
        return Err(BackupError::Damaged { path, finding });
    }
    let file = File::open(partial).map_err(write)?;
    file.sync_all().map_err(write)?;
    let bytes = file.metadata().map_err(write)?.len();
    fs::rename(partial, target).map_err(write)?;
    sync_folder(folder(target)).map_err(write)?;
    Ok(Backup { changesets, bytes })
}

/// Copies a consistent snapshot: <https://sqlite.org/lang_vacuum.html#vacuum_with_an_into_clause>.
fn vacuum_into(store: &Path, partial: &Path) -> rusqlite::Result<()> {
    let name = partial.to_str();
    let name = name.ok_or_else(|| rusqlite::Error::InvalidPath(partial.to_owned()))?;
    let source = open_reader(store)?;
    source.execute("VACUUM INTO ?1", [name])?;
    source.close().map_err(|(_, error)| error)
}

fn check(partial: &Path) -> rusqlite::Result<(String, u64)> {
    let copy = open_immutable(partial)?;
    let finding = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let count = "SELECT count(*) FROM changesets";
    let count: i64 = copy.query_row(count, [], |row| row.get(0))?;
    copy.close().map_err(|(_, error)| error)?;
    Ok((finding, count.unsigned_abs()))
}
