//! A file that is written under a name of its own, and gets its final name when it is complete.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::beside::{beside, folder, private, sync_folder};

const ENDING: &str = ".partial";

/// Tells apart the files that one process makes in the same moment.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// The file. It is removed when it is dropped, unless it got its final name.
#[derive(Debug)]
pub(crate) struct Partial {
    path: PathBuf,
    target: PathBuf,
    file: File,
}

impl Partial {
    /// Makes an empty file beside its target, with a name that nothing else has.
    pub(crate) fn of(target: &Path) -> io::Result<Self> {
        remove_abandoned(target);
        loop {
            let partial = Self::make(target)?;
            // Another process may have taken it for abandoned before it was locked.
            if partial.path.exists() {
                return Ok(partial);
            }
        }
    }

    fn make(target: &Path) -> io::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let path = beside(target, &format!(".{process}-{now}-{count}{ENDING}"));
        let file = private()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        let partial = Self {
            path,
            target: target.to_owned(),
            file,
        };
        // It tells others that it is in use. On Windows SQLite could not write to it.
        if cfg!(unix) {
            partial.file.lock()?;
        }
        Ok(partial)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes the file and gives it its final name, unless there is such a file by now. Returns its
    /// length.
    pub(crate) fn complete(self) -> io::Result<u64> {
        self.file.sync_all()?;
        let bytes = self.file.metadata()?.len();
        match fs::hard_link(&self.path, &self.target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // The file system has no links.
            Err(_) if !self.target.exists() => fs::rename(&self.path, &self.target)?,
            Err(error) => return Err(error),
            Ok(()) => fs::remove_file(&self.path)?,
        }
        sync_folder(folder(&self.target))?;
        Ok(bytes)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes what processes that were killed have left of the same target.
fn remove_abandoned(target: &Path) {
    let (Some(name), Ok(entries)) = (target.file_name(), fs::read_dir(folder(target))) else {
        return;
    };
    for entry in entries.flatten() {
        if is_partial_of(name, &entry.file_name()) {
            let _ = remove_if_abandoned(&entry.path());
        }
    }
}

fn is_partial_of(target: &OsStr, name: &OsString) -> bool {
    let (Some(target), Some(name)) = (target.to_str(), name.to_str()) else {
        return false;
    };
    let middle = name
        .strip_prefix(target)
        .and_then(|rest| rest.strip_suffix(ENDING));
    let middle = middle.and_then(|middle| middle.strip_prefix('.'));
    middle.is_some_and(|middle| {
        let is_number = |part: &str| part.parse::<u128>().is_ok();
        middle.split('-').count() == 3 && middle.split('-').all(is_number)
    })
}

/// Removes a file while its lock is held, unless somebody has it.
fn remove_if_abandoned(path: &Path) -> io::Result<()> {
    let file = private().read(true).write(true).open(path)?;
    file.try_lock()?;
    fs::remove_file(path)
}

#[cfg(test)]
mod tests;
