//! The lock that limits a file to one writing process.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::OpenError;
use crate::beside::{beside, private};
use crate::remembered::{Memory, Remembered};

/// Holds the lock on `FILE.lock` until it is dropped. The operating system releases the lock when
/// the process ends, for whatever reason.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: Arc<File>,
    /// What the file says of the store, as the last process that had the lock left it.
    pub(crate) found: Remembered,
    pub(crate) memory: Memory,
}

impl Drop for WriterLock {
    /// Unlocks the file explicitly, since closing it is not enough: a child process that is being
    /// started keeps the file open until its own program runs.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl WriterLock {
    /// Locks the file at a [`real_path`].
    pub(crate) fn acquire(database: &Path) -> Result<Self, OpenError> {
        let not_writable = |error: io::Error| OpenError::NotWritable {
            path: database.to_owned(),
            reason: error.to_string(),
        };
        let lock = beside(database, ".lock");
        // The lock would be another file's, and what is remembered would be written into that one.
        if lock.is_symlink() {
            let reason = format!("`{}` is a symbolic link; remove it", lock.display());
            return Err(not_writable(io::Error::other(reason)));
        }
        let mut options = private();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(lock).map_err(not_writable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse {
                    path: database.to_owned(),
                    pid: Remembered::read(&file).process,
                });
            }
            Err(TryLockError::Error(error)) => return Err(not_writable(error)),
        }
        let file = Arc::new(file);
        let found = Remembered::read(&file);
        let memory = Memory::begin(Arc::clone(&file), &found);
        Ok(Self {
            file,
            found,
            memory,
        })
    }
}

/// Resolves the path of a file. The lock and the write-ahead log are beside the file, under its
/// name, so a file with a second name would have two of each.
pub(crate) fn real_path(database: &Path) -> Result<PathBuf, OpenError> {
    let not_writable = |reason: String| OpenError::NotWritable {
        path: database.to_owned(),
        reason,
    };
    let path = resolve(database).map_err(|error| not_writable(error.to_string()))?;
    let Ok(metadata) = path.metadata() else {
        return Ok(path);
    };
    if metadata.is_dir() {
        return Err(not_writable("it is a folder".to_owned()));
    }
    #[cfg(unix)]
    match std::os::unix::fs::MetadataExt::nlink(&metadata) {
        0 | 1 => {}
        links => return Err(OpenError::ManyNames { path, links }),
    }
    Ok(path)
}

/// Resolves symbolic links. If the file does not exist yet, resolves its folder.
pub(crate) fn resolve(database: &Path) -> io::Result<PathBuf> {
    match database.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    if database.is_symlink() {
        return Err(io::Error::other(
            "it is a symbolic link to a file that does not exist",
        ));
    }
    let path = std::path::absolute(database)?;
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        _ => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_although_a_process_being_started_has_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("ees.db");
        let lock = WriterLock::acquire(&database).unwrap();
        let inherited = lock.file.try_clone().unwrap();
        drop(lock);
        WriterLock::acquire(&database).unwrap();
        drop(inherited);
    }
}
