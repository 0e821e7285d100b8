//! Threads for work that blocks, for callers on any async runtime.

use std::io;
use std::thread::{Builder, JoinHandle};

use futures_channel::oneshot;

/// Starts a thread. A system that has no more threads is an error, not a panic.
pub(crate) fn start(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(work)
}

/// Runs work on a thread of its own. If the caller goes away, the work is done all the same.
pub(crate) async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    start(name, move || {
        let _ = done.send(work());
    })?;
    let panicked = |_| io::Error::other("its thread panicked");
    result.await.map_err(panicked)
}
