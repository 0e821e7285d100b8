//! The names of the files beside a store's file, and its folder.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The write-ahead log.
pub(crate) const LOG: &str = "-wal";

/// The index of the write-ahead log, in shared memory.
pub(crate) const SHARED_MEMORY: &str = "-shm";

/// The file beside a file whose name has this suffix.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Options that make files which only their owner may read, as events may be secret. Windows has no such
/// mode.
pub(crate) fn private() -> OpenOptions {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The folder of a file.
pub(crate) fn folder(file: &Path) -> &Path {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Makes the names in a folder last. Windows has no such call, and needs none.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(folder)?.sync_all()
}
