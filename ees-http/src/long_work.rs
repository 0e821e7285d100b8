//! Work that keeps a thread busy for long, such as writing an answer of megabytes: it leaves the
//! runtime's threads to other requests.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use ees_core::{Changeset, Event, GlobalEvent};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// Work on so many bytes takes long.
const LONG_BYTES: usize = 256 * 1024;

/// One for each processor: more would take the processors from short work.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, NonZero::get)));

/// Does work on a number of bytes. If it takes long, it waits for its turn, and a runtime with several
/// threads goes on with another one meanwhile.
pub(crate) async fn work<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let runtime = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    if bytes < LONG_BYTES || runtime.ok() != Some(RuntimeFlavor::MultiThread) {
        return work();
    }
    let _turn = TURNS.acquire().await;
    tokio::task::block_in_place(work)
}

/// What an answer copies.
pub(crate) trait Payload {
    /// How many bytes it has.
    fn bytes(&self) -> usize;
}

impl Payload for Changeset {
    fn bytes(&self) -> usize {
        self.events.as_str().len() + self.metadata.as_str().len()
    }
}

impl Payload for Event {
    fn bytes(&self) -> usize {
        self.data.as_str().len() + self.metadata.as_str().len()
    }
}

impl Payload for GlobalEvent {
    fn bytes(&self) -> usize {
        self.event.bytes()
    }
}

/// How many bytes some items have.
pub(crate) fn bytes_of<P: Payload>(items: &[P]) -> usize {
    items.iter().map(Payload::bytes).sum()
}
