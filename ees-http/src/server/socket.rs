//! The options of a client's socket.

use tokio::net::TcpStream;

/// How many bytes of answers the system holds for a client, beyond those that it has sent: otherwise
/// megabytes, for clients that take nothing too.
#[cfg(any(target_os = "android", target_os = "linux"))]
const UNSENT: u32 = 256 * 1024;

/// Sets the options. An option that cannot be set changes no answer.
pub(super) fn prepare(stream: &TcpStream) {
    // Answers are written whole, so waiting to fill packets only delays them.
    let _ = stream.set_nodelay(true);
    #[cfg(any(target_os = "android", target_os = "linux"))]
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT);
}
