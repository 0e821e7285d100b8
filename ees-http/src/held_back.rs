//! Refusals that are held back for a moment: who asks again at once does so once a second.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How long a refusal is held back.
const PAUSE: Duration = Duration::from_secs(1);

/// The refusals that are held back. Each keeps a connection, and nothing else that is limited.
#[derive(Debug)]
pub(crate) struct HeldBack {
    places: Semaphore,
    closing: CancellationToken,
}

impl HeldBack {
    /// Holds at most so many back, and none while the host closes.
    pub(crate) fn new(most: usize, closing: CancellationToken) -> Self {
        let places = Semaphore::new(most);
        Self { places, closing }
    }

    /// Waits as long as a refusal is held back; not at all if as many are already.
    pub(crate) async fn wait(&self) {
        let Ok(_place) = self.places.try_acquire() else {
            return;
        };
        let pause = tokio::time::sleep(PAUSE);
        let _ = self.closing.run_until_cancelled(pause).await;
    }
}
