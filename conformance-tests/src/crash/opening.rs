//! The store after a kill, in the test's own process.

use std::sync::Arc;

use super::harness::CrashHarness;
use crate::place::{Place, within};
use crate::run::said;

/// What must be possible whenever a process was killed.
const PROMISE: &str = "G4: the store opens after its process was killed";

/// Opens the store.
pub(super) async fn open<H: CrashHarness>(place: &H) -> Arc<H::Storage> {
    let location = place.location();
    let opening = tokio::spawn(async move { H::open(&location).await });
    within(PROMISE, opening).await.unwrap_or_else(|error| {
        let cause = match error.try_into_panic() {
            Ok(panic) => said(&*panic),
            Err(error) => error.to_string(),
        };
        Place::here().fail(format!("{PROMISE}, but it does not: {cause}"))
    })
}
