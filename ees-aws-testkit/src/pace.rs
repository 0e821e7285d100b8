use std::time::Duration;

/// The speed of the actions for which AWS takes its time.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The time between two reads of a mapping that finds no records. AWS: 250 ms.
    pub poll: Duration,
    /// The pause before the first retry. It doubles with each further one. AWS: one minute for
    /// asynchronous invocations, and not documented for streams.
    pub first_retry: Duration,
    /// The maximum pause before a retry.
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
    /// The pause after this number of retries.
    pub(crate) fn pause(&self, retries: u32) -> Duration {
        let factor = 2_u32.saturating_pow(retries);
        self.first_retry
            .saturating_mul(factor)
            .min(self.longest_retry)
    }
}
