//! What the lock file says of the store beside it: which one it is, and how far its commits came. If the
//! file of the store, or its write-ahead log, is lost or replaced, the next start notices.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ees_core::{Checkpoint, StoreId};

/// The longest text that is read.
const MAX_BYTES: u64 = 256;

/// What a lock file says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Remembered {
    /// The process that has the lock, or had it last.
    pub(crate) process: Option<u32>,
    pub(crate) store: Option<StoreId>,
    /// The position after the last commit. It may be behind, and is never ahead.
    pub(crate) end: Option<Checkpoint>,
}

impl Remembered {
    /// Reads a lock file. What cannot be read is not known.
    pub(crate) fn read(file: &File) -> Self {
        let mut text = String::new();
        let mut file = file;
        let read = file
            .rewind()
            .and_then(|()| file.take(MAX_BYTES).read_to_string(&mut text));
        if read.is_err() {
            return Self::default();
        }
        let mut lines = text.lines().map(str::trim);
        let process = lines.next().and_then(|line| line.parse().ok());
        let store = lines.next().and_then(|line| line.parse().ok());
        let end = lines.next().and_then(|line| line.parse().ok());
        Self {
            process,
            store,
            end,
        }
    }

    /// Lines of a fixed width: a new text covers the one before it.
    fn text(&self) -> String {
        let process = self.process.unwrap_or_default();
        let store = self.store.map(|store| store.to_string());
        let end = self.end.map(|end| end.to_string());
        let (store, end) = (store.unwrap_or_default(), end.unwrap_or_default());
        format!("{process:<10}\n{store:<36}\n{end:<20}\n")
    }
}

/// The side that writes.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    file: Arc<File>,
    known: Arc<Mutex<Remembered>>,
}

impl Memory {
    /// Keeps what was found, with the id of this process, which a second one reports.
    pub(crate) fn begin(file: Arc<File>, found: &Remembered) -> Self {
        let process = Some(std::process::id());
        let known = Remembered { process, ..*found };
        let memory = Self {
            file,
            known: Arc::new(Mutex::new(known)),
        };
        memory.change(|_| {});
        memory
    }

    /// Remembers which store it is.
    pub(crate) fn store(&self, store: StoreId) {
        self.change(|known| known.store = Some(store));
    }

    /// Remembers how far commits came. It is not flushed: what a killed process wrote stays, and after a
    /// power cut less is known.
    pub(crate) fn end(&self, end: Checkpoint) {
        self.change(|known| known.end = Some(end));
    }

    /// A memory that cannot be written knows less. Nothing else depends on it.
    fn change(&self, change: impl FnOnce(&mut Remembered)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut known);
        let _ = write(&self.file, &known.text());
    }
}

fn write(mut file: &File, text: &str) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests;
