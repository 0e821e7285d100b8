//! How much a filtered read may look at.

use std::time::{Duration, Instant};

use crate::Changeset;
use crate::page::MAX_PAGE_BYTES;

/// The bounds of one filtered read, and what it has used of them: 10,000 changesets, 16 MiB of
/// payloads that it had to read, and 2 seconds. A read that reaches a bound ends with what it has
/// found. So a filter that selects nothing costs no more than one that selects everything.
///
/// ```
/// use ees_core::adapter::Look;
/// let mut look = Look::begin();
/// assert_eq!(look.changesets_left(), Look::MAX_CHANGESETS);
/// look.pass(Look::MAX_CHANGESETS);
/// assert!(look.is_over());
/// ```
#[derive(Debug, Clone)]
pub struct Look {
    changesets: usize,
    bytes: usize,
    begun: Instant,
}

impl Look {
    /// The most changesets.
    pub const MAX_CHANGESETS: usize = 10_000;

    /// The most bytes of payloads. The last payload may exceed them.
    pub const MAX_BYTES: usize = 4 * MAX_PAGE_BYTES;

    /// The longest time.
    pub const MAX_TIME: Duration = Duration::from_secs(2);

    /// Begins to look.
    pub fn begin() -> Self {
        Self {
            changesets: 0,
            bytes: 0,
            begun: Instant::now(),
        }
    }

    /// Counts changesets that were passed without their payloads.
    pub fn pass(&mut self, changesets: usize) {
        self.changesets = self.changesets.saturating_add(changesets);
    }

    /// Counts a changeset that was read with its payload.
    pub fn read(&mut self, changeset: &Changeset) {
        self.pass(1);
        self.bytes = self.bytes.saturating_add(changeset.payload_bytes());
    }

    /// How many more changesets may be looked at.
    pub fn changesets_left(&self) -> usize {
        Self::MAX_CHANGESETS.saturating_sub(self.changesets)
    }

    /// How many more bytes of payloads may be read.
    pub fn bytes_left(&self) -> usize {
        Self::MAX_BYTES.saturating_sub(self.bytes)
    }

    /// Whether a bound is reached.
    pub fn is_over(&self) -> bool {
        self.changesets_left() == 0
            || self.bytes_left() == 0
            || self.begun.elapsed() >= Self::MAX_TIME
    }
}
