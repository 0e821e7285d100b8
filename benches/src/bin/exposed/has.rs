//! What a server of the benchmark has, and what it is asked.

use std::path::Path;

/// What a read asks for: a page of the kind that a reader of one stream gets.
pub(crate) const READ: &str = "/streams/order-1/changesets?limit=10";

/// What a server has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Has {
    pub(crate) keys: bool,
    pub(crate) metrics: bool,
    pub(crate) log: bool,
}

/// The file of keys.
pub(crate) fn keys(folder: &Path) -> String {
    folder.join("keys.toml").display().to_string()
}
