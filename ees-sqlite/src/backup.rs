//! Online backup.

use std::io;
use std::path::{Path, PathBuf};

use crate::OpenError;
use crate::beside::folder;
use crate::connect::{open_immutable, open_reader};
use crate::lock::real_path;
use crate::ours::check_ours;
use crate::partial::Partial;
use crate::{migrations, threads};

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
    /// The copy failed SQLite's integrity check, or a row of it is not as it was written.
    #[error("the copy of `{}` is damaged: {finding}. Check the disk, and the store with `ees verify`", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// The first finding of the checks.
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
/// pass SQLite's integrity check, and each row that of its checksum. It is flushed to the disk before it gets the target's name. A
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
    let copy = |source| BackupError::Copy {
        path: target.to_owned(),
        source,
    };
    let write = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
        _ => BackupError::Write {
            path: target.to_owned(),
            source,
        },
    };
    let partial = Partial::of(target).map_err(write)?;
    vacuum_into(&store, partial.path()).map_err(copy)?;
    let (finding, changesets) = check(partial.path()).map_err(copy)?;
    if let Some(finding) = finding {
        return Err(BackupError::Damaged {
            path: store,
            finding,
        });
    }
    let bytes = partial.complete().map_err(write)?;
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

/// What is wrong with a copy, and the number of its changesets.
fn check(partial: &Path) -> rusqlite::Result<(Option<String>, u64)> {
    let copy = open_immutable(partial)?;
    let finding = migrations::check_content(&copy).err();
    let finding = finding.map(|error| error.to_string());
    let count = "SELECT count(*) FROM changesets";
    let count: i64 = copy.query_row(count, [], |row| row.get(0))?;
    copy.close().map_err(|(_, error)| error)?;
    Ok((finding, count.unsigned_abs()))
}
