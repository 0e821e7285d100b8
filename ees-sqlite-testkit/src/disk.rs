//! The disk as a test sees it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::cut::{self, Keep};
use crate::log::{Call, Entry};
use crate::vfs;

/// What the disk refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every flush fails. What was written since the last flush is lost.
    Flush,
    /// Every write fails.
    Write,
}

/// The disk of a folder.
#[derive(Debug)]
pub struct Disk(Arc<Watched>);

impl Disk {
    /// Watches the files of a folder that SQLite opens from now on in this process, until the disk
    /// is dropped.
    ///
    /// # Errors
    /// If the folder does not exist, or SQLite does not accept the file system.
    pub fn watch(folder: &Path) -> io::Result<Self> {
        let watched = Arc::new(Watched {
            folder: folder.canonicalize()?,
            state: Mutex::default(),
        });
        vfs::watch(&watched)?;
        Ok(Self(watched))
    }

    /// Copies the files into another folder as they are after the death of the process, and watches
    /// the copies. They show all that was written. Their disk has only what was flushed.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub fn after_a_kill(&self, folder: &Path) -> io::Result<Self> {
        let disk = Self::watch(folder)?;
        self.after_a_cut(self.now(), Keep::Nothing, folder)?;
        for file in fs::read_dir(folder)? {
            let file = file?;
            let (offset, bytes) = (0, fs::read(file.path())?);
            let name = file.file_name();
            disk.0.record(&name, Call::Write { offset, bytes });
            disk.0.record(&name, Call::Flush);
        }
        for file in fs::read_dir(&self.0.folder)? {
            let file = file?;
            // The file of the shared memory means nothing after the processes that shared it.
            if !file.file_name().as_encoded_bytes().ends_with(b"-shm") {
                fs::copy(file.path(), folder.join(file.file_name()))?;
            }
        }
        Ok(disk)
    }

    /// The number of calls that were recorded so far. It is a moment for
    /// [`after_a_cut`](Self::after_a_cut).
    pub fn now(&self) -> usize {
        self.0.lock().log.len()
    }

    /// The number of flushes that succeeded.
    pub fn flushes(&self) -> usize {
        let state = self.0.lock();
        let calls = state.log.iter().map(|entry| &entry.call);
        calls.filter(|call| matches!(call, Call::Flush)).count()
    }

    /// Every flush takes so much longer from now on.
    pub fn delay_flushes(&self, delay: Duration) {
        self.0.lock().delay = delay;
    }

    /// From now on the disk has this fault, or none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.0.lock().fault = fault;
    }

    /// Makes the files that a power cut at a moment would have left, in another folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn after_a_cut(&self, moment: usize, keep: Keep, folder: &Path) -> io::Result<()> {
        let log = self.0.lock();
        cut::write_files(&log.log[..moment], keep, folder)
    }
}

/// What the disk and its open files share.
#[derive(Debug)]
pub(crate) struct Watched {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    log: Vec<Entry>,
    fault: Option<Fault>,
    delay: Duration,
}

impl Watched {
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
        if self.lock().fault == Some(Fault::Write) {
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
        let state = self.lock();
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
        self.lock().log.push(Entry { file, call });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
