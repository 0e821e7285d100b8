//! Where a case is, and how it says what is wrong there.

use std::fmt::{self, Debug, Display};
use std::panic::{Location, resume_unwind};
use std::time::Duration;

use crate::running::{seconds, wait_limit, waits_for};

/// A place in a case. A helper that is called with `async` loses its caller, so it takes the place
/// before it begins to wait.
#[derive(Clone, Copy)]
pub(crate) struct Place(&'static Location<'static>);

impl Place {
    /// Where the caller was called.
    #[track_caller]
    pub(crate) fn here() -> Self {
        Self(Location::caller())
    }

    /// Ends the case. What was said is printed once, with the case's name and what usually is the
    /// cause, by [`run`](crate::run).
    pub(crate) fn fail(self, message: impl Display) -> ! {
        resume_unwind(Box::new(format!("{message}\n  at {self}")))
    }

    /// Ends the case unless something is so.
    pub(crate) fn check(self, is_so: bool, message: impl FnOnce() -> String) {
        if !is_so {
            self.fail(message());
        }
    }

    /// Ends the case unless two values are the same; both are shown.
    pub(crate) fn same<T: PartialEq + Debug>(self, found: &T, expected: &T, message: &str) {
        if found != expected {
            self.fail(format!(
                "{message}\n  found:    {found:?}\n  expected: {expected:?}"
            ));
        }
    }

    /// Waits for what is promised; not for ever.
    pub(crate) async fn wait<T>(self, promise: &str, what: impl Future<Output = T>) -> T {
        self.wait_longer(promise, Duration::ZERO, what).await
    }

    /// The same where it may take longer than a wait does, by so much.
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

/// Waits for what a promise says, which begins with its number: `G8: who listens is woken`. A wait
/// that takes too long fails, and says which promise was waited for and where.
#[track_caller]
pub(crate) fn within<T>(promise: &str, what: impl Future<Output = T>) -> impl Future<Output = T> {
    let place = Place::here();
    async move { place.wait(promise, what).await }
}
