//! A file system for tests of SQLite.
//!
//! [`Disk::watch`] puts it between SQLite and the real file system, for the files of one folder. It
//! delays and fails flushes and writes. It records what SQLite writes and flushes, so that
//! [`Disk::after_a_cut`] can make the files that a power cut would have left at any moment.
//!
//! It is a shim in SQLite's sense: a VFS that calls another one
//! (<https://sqlite.org/vfs.html#vfs_shims>).

mod cut;
mod disk;
mod log;
mod vfs;
mod watched;

pub use cut::Keep;
pub use disk::Disk;
pub use watched::Fault;
