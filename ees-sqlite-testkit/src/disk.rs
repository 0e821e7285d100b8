//! The disk as a test sees it.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::cut::{self, Keep};
use crate::log::Call;
use crate::vfs;
use crate::watched::{Fault, Watched};

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
        let watched = Arc::new(Watched::new(folder.canonicalize()?));
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
        for file in fs::read_dir(self.0.folder())? {
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
        self.0.state().log.len()
    }

    /// The number of flushes that succeeded.
    pub fn flushes(&self) -> usize {
        let state = self.0.state();
        let calls = state.log.iter().map(|entry| &entry.call);
        calls.filter(|call| matches!(call, Call::Flush)).count()
    }

    /// Every flush takes so much longer from now on.
    pub fn delay_flushes(&self, delay: Duration) {
        self.0.state().delay = delay;
    }

    /// From now on the disk has this fault, or none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.0.state().fault = fault;
    }

    /// Makes the files that a power cut at a moment would have left, in another folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn after_a_cut(&self, moment: usize, keep: Keep, folder: &Path) -> io::Result<()> {
        let log = self.0.state();
        cut::write_files(&log.log[..moment], keep, folder)
    }
}
