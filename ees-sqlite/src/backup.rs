//! Online backup.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::OpenError;
use crate::lock::real_path;
use crate::opening::{check_ours, reader_options};

/// A backup could not be made. No file of its name is there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The store cannot be read.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// The target is there already.
    #[error("`{}` exists already and was left as it is; name a new file", .0.display())]
    Exists(PathBuf),
    /// The store could not be copied.
    #[error("`{}` could not be written: {source}", path.display())]
    Copy {
        /// The target.
        path: PathBuf,
        /// What SQLite said.
        r#source: sqlx::Error,
    },
    /// The target could not be made to last.
    #[error("`{}` could not be written: {source}", path.display())]
    Write {
        /// The target.
        path: PathBuf,
        /// What the system said.
        r#source: io::Error,
    },
    /// The copy is not what it should be.
    #[error("the copy of `{}` did not pass SQLite's check: {finding}. Look after the disks", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What the check found.
        finding: String,
    },
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// How many changesets.
    pub changesets: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Copies a store, in use or not, into a new file: all that was acknowledged when it begins, in a
/// file of its own that passed SQLite's integrity check and is flushed to the disk before it gets
/// its name. The server goes on reading and writing meanwhile; its write-ahead log grows by what
/// it writes until the copy is done.
///
/// To restore, put the file in the place of the store's while no server runs, without the old
/// `-wal` and `-shm` files beside it.
///
/// # Errors
/// [`BackupError`]; nothing is left under the target's name.
pub async fn backup(store: &Path, target: &Path) -> Result<Backup, BackupError> {
    let store = real_path(store)?;
    if !store.exists() {
        return Err(OpenError::Missing(store).into());
    }
    check_ours(&store).await?;
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    if !folder(target).is_dir() {
        return Err(BackupError::Write {
            path: target.to_owned(),
            source: io::Error::other("its folder does not exist"),
        });
    }
    let partial = partial_path(target);
    let result = copy_and_check(&store, &partial, target).await;
    if result.is_err() {
        let _ = fs::remove_file(&partial);
    }
    result
}

async fn copy_and_check(
    store: &Path,
    partial: &Path,
    target: &Path,
) -> Result<Backup, BackupError> {
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
    vacuum_into(store, partial).await.map_err(copy)?;
    let (finding, changesets) = check(partial).await.map_err(copy)?;
    if finding != "ok" {
        let path = store.to_owned();
        return Err(BackupError::Damaged { path, finding });
    }
    let file = File::open(partial).map_err(write)?;
    file.sync_all().map_err(write)?;
    let bytes = file.metadata().map_err(write)?.len();
    fs::rename(partial, target).map_err(write)?;
    sync_folder(target).map_err(write)?;
    Ok(Backup { changesets, bytes })
}

/// <https://sqlite.org/lang_vacuum.html#vacuum_with_an_into_clause>: a consistent snapshot.
async fn vacuum_into(store: &Path, partial: &Path) -> Result<(), sqlx::Error> {
    let mut source = reader_options(store).connect().await?;
    let copy = sqlx::query("VACUUM INTO ?1").bind(partial.to_string_lossy());
    let copied = copy.execute(&mut source).await;
    source.close().await?;
    copied.map(|_| ())
}

async fn check(partial: &Path) -> Result<(String, u64), sqlx::Error> {
    let mut copy: SqliteConnection = reader_options(partial).immutable(true).connect().await?;
    let finding = sqlx::query_scalar("PRAGMA integrity_check(1)");
    let finding = finding.fetch_one(&mut copy).await?;
    let count = sqlx::query_scalar("SELECT count(*) FROM changesets");
    let count: i64 = count.fetch_one(&mut copy).await?;
    copy.close().await?;
    Ok((finding, count.unsigned_abs()))
}

fn partial_path(target: &Path) -> PathBuf {
    let mut path = target.as_os_str().to_owned();
    path.push(".partial");
    path.into()
}

fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder(file))?.sync_all()
}

fn folder(file: &Path) -> &Path {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
