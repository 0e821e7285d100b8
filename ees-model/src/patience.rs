//! Repeats calls of a store that is unavailable.

use futures_timer::Delay;

use crate::Store;

/// How often a call is made.
const CALLS: u32 = 3;

/// Makes a call, and repeats it while the store asks for that.
pub(crate) async fn patiently<S: Store, T>(
    store: &S,
    call: impl AsyncFn() -> Result<T, S::Error>,
) -> Result<T, S::Error> {
    for _ in 1..CALLS {
        match call().await {
            Ok(done) => return Ok(done),
            Err(error) => match store.retry_after(&error) {
                Some(pause) => Delay::new(pause).await,
                None => return Err(error),
            },
        }
    }
    call().await
}
