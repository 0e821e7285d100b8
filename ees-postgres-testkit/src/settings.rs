//! The settings of a server.

/// The settings of a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether commits are flushed to the disk (`fsync`).
    pub durable: bool,
    /// The size of the server's disk in MiB, at least 100, for
    /// [`Server::fill_disk`](crate::Server::fill_disk). Such a disk is in memory: it does not
    /// survive [`Server::stop`](crate::Server::stop) or [`Server::kill`](crate::Server::kill).
    ///
    /// Needs Linux, and root or user namespaces.
    pub disk: Option<u32>,
    /// Further settings, as in `postgresql.conf`.
    pub options: Vec<(String, String)>,
}

impl Default for Settings {
    /// Durable, on a disk without a limit.
    fn default() -> Self {
        Self {
            durable: true,
            disk: None,
            options: Vec::new(),
        }
    }
}
