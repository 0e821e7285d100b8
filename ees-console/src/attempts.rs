//! Limits the attempts to log in.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many attempts may fail in a row before the next one waits.
const BURST: u32 = 10;

/// How often an attempt may fail after that.
const EVERY: Duration = Duration::from_secs(6);

/// Counts the attempts that failed, of all clients together: behind a proxy the server does not know
/// who they are.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<Option<Failed>>);

#[derive(Debug, Clone, Copy)]
struct Failed {
    count: u32,
    since: Instant,
}

impl Attempts {
    /// How long the next attempt has to wait; `None` if it need not.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = forgotten(failed.take()?, now);
        *failed = counted;
        let counted = counted.filter(|counted| counted.count >= BURST)?;
        Some(EVERY.saturating_sub(now.saturating_duration_since(counted.since)))
    }

    /// Counts an attempt that failed.
    pub(crate) fn failed(&self, now: Instant) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = failed.and_then(|counted| forgotten(counted, now));
        *failed = Some(Failed {
            count: counted.map_or(0, |counted| counted.count).saturating_add(1),
            since: counted.map_or(now, |counted| counted.since),
        });
    }
}

/// What is left of the count: each period takes one off.
fn forgotten(failed: Failed, now: Instant) -> Option<Failed> {
    let passed = now.saturating_duration_since(failed.since).as_secs() / EVERY.as_secs();
    let passed = u32::try_from(passed).unwrap_or(u32::MAX);
    let count = failed.count.checked_sub(passed).filter(|left| *left > 0)?;
    let since = failed.since + EVERY * passed;
    Some(Failed { count, since })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_wait_after_many_failed_and_pass_again_later() {
        let attempts = Attempts::default();
        let begun = Instant::now();
        for _ in 0..BURST {
            assert_eq!(attempts.wait(begun), None);
            attempts.failed(begun);
        }
        assert_eq!(attempts.wait(begun), Some(EVERY));
        let later = begun + EVERY;
        assert_eq!(attempts.wait(later), None, "one is forgotten");
        attempts.failed(later);
        assert_eq!(attempts.wait(later), Some(EVERY));
        let much_later = later + EVERY * BURST * 2;
        assert_eq!(attempts.wait(much_later), None);
    }
}
