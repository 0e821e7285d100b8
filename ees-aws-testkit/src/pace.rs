use std::time::Duration;

/// How fast what takes its time on AWS goes here.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a mapping waits before it looks again for new records. AWS: 250 ms.
    pub poll: Duration,
    /// How long it is to the first repetition of what failed; it doubles from one to the next. AWS:
    /// not told for streams, a minute for asynchronous invocations.
    pub first_retry: Duration,
    /// How long it gets at most.
    pub longest_retry: Duration,
}

impl Default for Pace {
    /// Fast enough for tests.
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(50),
            first_retry: Duration::from_millis(20),
            longest_retry: Duration::from_secs(1),
        }
    }
}

impl Pace {
    /// The pause after so many retries.
    pub(crate) fn pause(&self, retries: u32) -> Duration {
        let factor = 2_u32.saturating_pow(retries);
        self.first_retry
            .saturating_mul(factor)
            .min(self.longest_retry)
    }
}
