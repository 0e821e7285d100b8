//! Looks at the file that is served: it must be the one that was opened, and lose nothing at its end.

use std::fs::{Metadata, metadata};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::beside::{LOG, beside};
use crate::connect::open_reader;
use crate::state;

/// The file and its write-ahead log, as they were at the last look.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    file: Seen,
    log: Option<Seen>,
}

/// What identifies a file, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    identity: (u64, u64),
    bytes: u64,
}

impl Seen {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let identity = (0, 0);
        let bytes = metadata.len();
        Self { identity, bytes }
    }
}

impl Watched {
    /// Begins to watch a file that is open; `None` if it cannot be looked at.
    pub(crate) fn begin(path: &Path) -> Option<Self> {
        Some(Self {
            path: path.to_owned(),
            file: Seen::of(&metadata(path).ok()?),
            log: metadata(beside(path, LOG)).ok().as_ref().map(Seen::of),
        })
    }

    /// Looks at the file and at its log. The error says what has become of them.
    pub(crate) fn look(&mut self) -> Result<(), String> {
        let file = look_at(&self.path, self.file)?;
        if file.bytes < self.file.bytes {
            return Err(format!("`{}` was cut", self.path.display()));
        }
        self.file = file;
        let log = beside(&self.path, LOG);
        match self.log {
            Some(before) => {
                let now = look_at(&log, before)?;
                if now.bytes < before.bytes {
                    self.check_cut_log()?;
                }
                self.log = Some(now);
            }
            None => self.log = metadata(log).ok().as_ref().map(Seen::of),
        }
        Ok(())
    }

    /// A log that became shorter is either folded into the file, or cut. Then the newest rows cannot be
    /// read.
    fn check_cut_log(&self) -> Result<(), String> {
        let check = |connection: Connection| state::check_last(&connection);
        let read = open_reader(&self.path).map_err(crate::error::translate);
        read.and_then(check).map_err(|error| {
            let log = beside(&self.path, LOG);
            format!("`{}` was cut: {error}", log.display())
        })
    }
}

/// Looks at a file by its name.
fn look_at(path: &Path, before: Seen) -> Result<Seen, String> {
    let now = metadata(path).map_err(|error| {
        let path = path.display();
        format!("`{path}` is gone, or cannot be looked at ({error})")
    })?;
    let now = Seen::of(&now);
    if now.identity == before.identity {
        return Ok(now);
    }
    Err(format!("`{}` was replaced by another file", path.display()))
}

#[cfg(test)]
mod tests;
