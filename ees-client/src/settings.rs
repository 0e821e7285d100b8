//! What all calls of a client share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ees_core::StoreId;
use reqwest::Url;

use crate::{Authorize, Error};

/// How a call is repeated. Loops without an end, such as
/// [`EventStore::follow`](crate::EventStore::follow), try again without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often a call is tried.
    pub attempts: u32,
    /// The longest pause after the first failure. It doubles with each failure.
    pub first_pause: Duration,
    /// The longest pause that is chosen without a `Retry-After`.
    pub longest_pause: Duration,
    /// A longer `Retry-After` ends the tries.
    pub longest_retry_after: Duration,
}

impl Default for Retry {
    /// Eight tries within about twelve seconds.
    fn default() -> Self {
        Self {
            attempts: 8,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            longest_retry_after: Duration::from_secs(30),
        }
    }
}

impl Retry {
    /// The pause after so many failures in a row: random, so that clients do not come together.
    pub(crate) fn pause(&self, failures: u32, retry_after: Option<Duration>) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << (failures - 1).min(16));
        let longest = doubled.min(self.longest_pause);
        let chosen = longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        chosen.max(
            retry_after
                .unwrap_or_default()
                .min(self.longest_retry_after),
        )
    }
}

/// Is told the error and the pause before each repeat.
pub(crate) type OnRetry = Arc<dyn Fn(&Error, Duration) + Send + Sync>;

/// What all calls of a client share.
pub(crate) struct Settings {
    pub(crate) url: Url,
    pub(crate) store: Option<StoreId>,
    pub(crate) timeout: Duration,
    pub(crate) retry: Retry,
    pub(crate) on_retry: Option<OnRetry>,
    pub(crate) authorize: Option<Arc<dyn Authorize>>,
    pub(crate) http: reqwest::Client,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("url", &self.url.as_str())
            .field("store", &self.store)
            .field("timeout", &self.timeout)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Waits before a repeat.
    pub(crate) async fn pause(&self, error: &Error, failures: u32) {
        let pause = self.retry.pause(failures, error.retry_after());
        if let Some(on_retry) = &self.on_retry {
            on_retry(error, pause);
        }
        tokio::time::sleep(pause).await;
    }
}
