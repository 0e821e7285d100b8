//! The limits of the server.

use std::time::Duration;

/// The limits of the server on its connections.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerLimits {
    /// The number of connections that may be open. For a further one, the client that made no progress
    /// for longest is cut off.
    pub max_connections: usize,
    /// The size of a request line with its headers, in bytes, that is always accepted. Above about
    /// twice this size they are always refused. More than 100 headers are refused as well.
    pub max_header_bytes: usize,
    /// The longest time for a client to send a request line with its headers, and for a connection
    /// to be idle.
    pub header_timeout: Duration,
    /// The longest time for a client to finish the handshake of TLS.
    pub handshake_timeout: Duration,
    /// The longest time that a client may read nothing while an answer is sent to it.
    pub write_timeout: Duration,
    /// The longest time that requests may take after the shutdown has begun.
    pub shutdown_timeout: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            max_connections: 8192,
            max_header_bytes: 32 * 1024,
            // Longer than the minute that proxies keep idle connections for.
            header_timeout: Duration::from_secs(75),
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(35),
        }
    }
}
