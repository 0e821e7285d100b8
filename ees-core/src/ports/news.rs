//! The wake-up that storages share.

use event_listener::Event;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Wakes waiting readers in the same process after a commit.
#[derive(Debug, Default)]
pub struct News(Event);

impl News {
    /// Wakes all listeners.
    pub fn announce(&self) {
        self.0.notify(usize::MAX);
    }

    /// Resolves at the first announcement after this call.
    pub fn listen(&self) -> BoxFuture<'static, ()> {
        self.0.listen().boxed()
    }
}
