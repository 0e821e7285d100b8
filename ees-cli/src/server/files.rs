//! The limit on open files.

use ees_http::ServerLimits;

/// The files that a server has besides its connections: those of its storage, and some to spare.
const OWN: u64 = 256;

/// Raises the soft limit on open files to what the limit on connections needs, or says what is
/// missing.
pub(super) fn allow_enough() {
    let connections = u64::try_from(ServerLimits::default().max_connections);
    let needed = connections.unwrap_or(u64::MAX).saturating_add(OWN);
    match rlimit::increase_nofile_limit(needed) {
        Ok(allowed) if allowed >= needed => {}
        Ok(allowed) => tracing::warn!(
            "at most {allowed} open files are allowed, and {needed} are needed for as many \
             connections as the server accepts: raise the hard limit (`ulimit -Hn`, `LimitNOFILE=`)"
        ),
        Err(error) => tracing::warn!(%error, "the limit on open files cannot be raised"),
    }
}
