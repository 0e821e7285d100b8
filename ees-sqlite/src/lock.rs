//! One writing process per file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::OpenError;

/// Holds `FILE.lock` locked until it is dropped. The operating system lets go of it when the
/// process ends, however it ends.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl Drop for WriterLock {
    /// Closing is not enough: a process that is being started has the file open until it runs.
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
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(lock_path(database)).map_err(not_writable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse {
                    path: database.to_owned(),
                    pid: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(not_writable(error)),
        }
        // Whom to name to a second process; no more than a courtesy.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { file })
    }
}

/// The file that a name leads to. The lock and the write-ahead log are beside it, under its name;
/// with a second name it would have two of each.
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

/// A file that is to be made has a name in a folder already.
fn resolve(database: &Path) -> io::Result<PathBuf> {
    match database.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    if database.is_symlink() {
        return Err(io::Error::other("it is a link that leads to no file"));
    }
    let path = std::path::absolute(database)?;
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        _ => Ok(path),
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
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
