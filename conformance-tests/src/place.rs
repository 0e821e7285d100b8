//! A source location in a case, and the failures that are reported with it.

use std::fmt::{self, Debug, Display};
use std::panic::{Location, resume_unwind};
use std::time::Duration;

use crate::running::{seconds, wait_limit, waits_for};

/// A source location in a case. An `async` helper loses its caller when it waits, so it records the
/// location before it waits.
#[derive(Clone, Copy)]
pub(crate) struct Place(&'static Location<'static>);

impl Place {
    /// The location where the caller was called.
    #[track_caller]
    pub(crate) fn here() -> Self {
        Self(Location::caller())
    }

    /// Ends the case with a failure. [`run`](crate::run) prints the message once, with the case's
    /// name and the usual cause.
    pub(crate) fn fail(self, message: impl Display) -> ! {
        resume_unwind(Box::new(format!("{message}\n  at {self}")))
    }

    /// Ends the case unless a condition holds.
    pub(crate) fn check(self, is_so: bool, message: impl FnOnce() -> String) {
        if !is_so {
            self.fail(message());
        }
    }

    /// Ends the case unless two values are equal. The message shows both.
    pub(crate) fn same<T: PartialEq + Debug>(self, found: &T, expected: &T, message: &str) {
        if found != expected {
            self.fail(format!(
                "{message}\n  found:    {found:?}\n  expected: {expected:?}"
            ));
        }
    }

    /// Waits for a promised result, up to the limit of a wait.
    pub(crate) async fn wait<T>(self, promise: &str, what: impl Future<Output = T>) -> T {
        self.wait_longer(promise, Duration::ZERO, what).await
    }

    /// The same with a longer limit.
    pub(crate) async fn wait_longer<T>(
        self,
        promise: &str,
        longer: Duration,
        what: impl Future<Output = T>,
    ) -> T {
        let limit = wait_limit() + longer;
        let wait = waits_for(format!("{promise}, at {self}"));
        let waited = tokio::time::timeout(limit, what).await;
        drop(wait);
        waited.unwrap_or_else(|_| {
            let limit = seconds(limit);
            resume_unwind(Box::new(format!("{promise} (waited {limit}) at {self}")))
        })
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

/// Waits for a promised result. The promise begins with its number: `G8: a listener is woken`. A
/// wait that takes too long fails, and reports the promise and the source location.
#[track_caller]
pub(crate) fn within<T>(promise: &str, what: impl Future<Output = T>) -> impl Future<Output = T> {
    let place = Place::here();
    async move { place.wait(promise, what).await }
}
