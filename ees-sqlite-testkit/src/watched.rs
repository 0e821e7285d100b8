//! What a disk has recorded, and what it refuses.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::log::{Call, Entry};

/// What the disk refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every flush fails. What was written since the last flush is lost.
    Flush,
    /// Every write fails.
    Write,
}

/// What the disk and its open files share.
#[derive(Debug)]
pub(crate) struct Watched {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) log: Vec<Entry>,
    pub(crate) fault: Option<Fault>,
    pub(crate) delay: Duration,
}

impl Watched {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            state: Mutex::default(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn has(&self, file: &Path) -> bool {
        file.parent() == Some(&self.folder)
    }

    /// Makes a change unless the disk refuses writes. Records it if it succeeds.
    pub(crate) fn change<E>(
        &self,
        file: &OsStr,
        call: Call,
        refused: E,
        change: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        if self.state().fault == Some(Fault::Write) {
            return Err(refused);
        }
        change()?;
        self.record(file, call);
        Ok(())
    }

    /// Flushes a file unless the disk refuses flushes, and records what became of it.
    pub(crate) fn flush<E>(
        &self,
        file: &OsStr,
        refused: E,
        flush: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let state = self.state();
        let (delay, fault) = (state.delay, state.fault);
        drop(state);
        thread::sleep(delay);
        if fault == Some(Fault::Flush) {
            self.record(file, Call::Lose);
            return Err(refused);
        }
        flush()?;
        self.record(file, Call::Flush);
        Ok(())
    }

    pub(crate) fn record(&self, file: &OsStr, call: Call) {
        let file = file.to_owned();
        self.state().log.push(Entry { file, call });
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
