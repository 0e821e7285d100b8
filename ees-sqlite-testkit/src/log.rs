//! What SQLite did to the files of a folder, in order.

use std::ffi::OsString;

/// A call that changes what the disk will hold.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    Truncate {
        size: u64,
    },
    Delete,
    /// What was written to the file before is on the disk.
    Flush,
    /// A flush failed. What was written since the last flush never reaches the disk, although the
    /// file still shows it, as on Linux: <https://wiki.postgresql.org/wiki/Fsync_Errors>.
    Lose,
}

/// A call, and the name of the file in its folder.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) file: OsString,
    pub(crate) call: Call,
}
