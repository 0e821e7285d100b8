//! The time of a commit.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::from_text::from_text;

/// A time in UTC, with microseconds; written as RFC 3339.
///
/// ```
/// use ees_core::Timestamp;
/// let time: Timestamp = "2021-01-05T13:15:30.5Z".parse()?;
/// assert_eq!(time.to_string(), "2021-01-05T13:15:30.500000Z");
/// # Ok::<(), ees_core::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(jiff::Timestamp);

/// The text or number is not a time between the years -9999 and 9999.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not an RFC 3339 timestamp: {0}")]
pub struct TimestampError(jiff::Error);

impl From<jiff::Error> for TimestampError {
    fn from(error: jiff::Error) -> Self {
        Self(error)
    }
}

impl Timestamp {
    /// The current time of the system's clock.
    pub fn now() -> Self {
        let now = jiff::Timestamp::now();
        Self::from_micros(now.as_microsecond()).unwrap_or(Self(now))
    }

    /// The time `micros` microseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`TimestampError`] if it lies outside the years -9999 to 9999.
    pub fn from_micros(micros: i64) -> Result<Self, TimestampError> {
        Ok(Self(jiff::Timestamp::from_microsecond(micros)?))
    }

    /// The time so long after this one, up to the last second of the year 9999.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration).unwrap_or(self.0))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn as_micros(self) -> i64 {
        self.0.as_microsecond()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time: jiff::Timestamp = text.parse()?;
        Self::from_micros(time.as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_read_to_the_microsecond() {
        let now = Timestamp::now();
        assert_eq!(now.to_string().parse::<Timestamp>().unwrap(), now);
        assert_eq!(Timestamp::from_micros(now.as_micros()).unwrap(), now);
    }
}
