//! Limits the rate of log lines about requests that were not authorized.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::measure::refused;

/// The shortest time between two lines in the log.
const INTERVAL: Duration = Duration::from_secs(1);

/// Counts requests that were answered 401 or 403. The log gets the count once a second at most, with
/// the last key.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The number of requests that are not in the log yet.
    unlogged: u64,
    logged: Option<Instant>,
}

impl Failures {
    /// Counts a request. `key` is the name of the key; `reason` goes into the log and must not
    /// contain a secret.
    pub(super) fn count(&self, status: StatusCode, key: Option<&str>, reason: &str) {
        refused(status);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.unlogged += 1;
        let is_due = state.logged.is_none_or(|last| last.elapsed() >= INTERVAL);
        if is_due {
            let refused = std::mem::take(&mut state.unlogged);
            state.logged = Some(Instant::now());
            let key = key.unwrap_or("none");
            tracing::warn!(
                refused,
                key,
                "requests without authority: the last: {reason}"
            );
        }
    }
}
