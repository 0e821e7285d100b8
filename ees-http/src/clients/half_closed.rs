//! Clients that have closed their side of the connection: they send no more, and still take the answers
//! to what they sent.

use super::Client;
#[cfg(feature = "server")]
use super::{Ordering, Step, lock};

impl Client {
    /// Whether it sends no more.
    pub(crate) fn is_half_closed(&self) -> bool {
        self.0.half_closed.is_cancelled()
    }

    /// Resolves when it sends no more. It may have gone, so whatever waits for news ends then.
    pub(crate) async fn half_closed(&self) {
        self.0.half_closed.cancelled().await;
    }
}

/// A body that is on its way, until it is dropped.
#[cfg(feature = "server")]
#[derive(Debug)]
pub(crate) struct Receiving(Client);

#[cfg(feature = "server")]
impl Client {
    /// Tells that it sends no more.
    pub(crate) fn half_close(&self) {
        self.0.half_closed.cancel();
    }

    /// Tells that a body is on its way.
    pub(crate) fn receives(&self) -> Receiving {
        self.0.receiving.fetch_add(1, Ordering::Relaxed);
        Receiving(self.clone())
    }

    /// Whether the rest of a body is not read yet.
    pub(crate) fn is_received(&self) -> bool {
        self.0.receiving.load(Ordering::Relaxed) > 0
    }

    /// Whether a request of it runs, or an answer is on its way.
    pub(crate) fn is_answered(&self) -> bool {
        let is_taking = || {
            lock(&self.0.waits)
                .iter()
                .any(|wait| wait.step == Step::Take)
        };
        self.0.running.load(Ordering::Relaxed) > 0 || is_taking()
    }
}

#[cfg(feature = "server")]
impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.0.receiving.fetch_sub(1, Ordering::Relaxed);
    }
}
