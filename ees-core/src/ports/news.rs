//! The wake hint that storages share.

use event_listener::Event;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Tells waiting readers in the same process that something was committed.
#[derive(Debug, Default)]
pub struct News(Event);

impl News {
    /// Wakes everyone who listens.
    pub fn announce(&self) {
        self.0.notify(usize::MAX);
    }

    /// Resolves at the first announcement after this call.
    pub fn listen(&self) -> BoxFuture<'static, ()> {
        self.0.listen().boxed()
    }
}
