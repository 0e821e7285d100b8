//! Repeats calls of a store that is unavailable.

use futures_timer::Delay;

use crate::Store;

/// How often a call is made.
const CALLS: u32 = 3;

/// How often a call was repeated.
#[derive(Debug, Default)]
pub(crate) struct Patience(u32);

impl Patience {
    /// Waits before the call that failed is made again, unchanged. Returns its error if it is not to be
    /// repeated.
    pub(crate) async fn wait<S: Store>(
        &mut self,
        store: &S,
        error: S::Error,
    ) -> Result<(), S::Error> {
        self.0 += 1;
        match store.retry_after(&error).filter(|_| self.0 < CALLS) {
            Some(pause) => {
                Delay::new(pause).await;
                Ok(())
            }
            None => Err(error),
        }
    }
}
