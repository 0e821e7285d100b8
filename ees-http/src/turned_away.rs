//! Limits the rate of log lines about requests that were turned away.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two lines in the log.
const INTERVAL: Duration = Duration::from_secs(1);

/// Counts requests that were turned away. The log gets the count once a second at most.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The number of requests that are not in the log yet.
    unlogged: u64,
    logged: Option<Instant>,
}

impl TurnedAway {
    /// Counts a request that was turned away because the limit on its kind is reached.
    pub(crate) fn count(&self, kind: &str) {
        if let Some(refused) = self.due() {
            tracing::warn!(refused, "too many concurrent {kind}: answered OVERLOADED");
        }
    }

    /// Counts a request. The number of those that are not in the log yet, if a line is due.
    pub(crate) fn due(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.unlogged += 1;
        let is_due = state.logged.is_none_or(|last| last.elapsed() >= INTERVAL);
        is_due.then(|| {
            state.logged = Some(Instant::now());
            std::mem::take(&mut state.unlogged)
        })
    }
}
