//! Positions in the global order.

use std::fmt;
use std::str::FromStr;

use crate::ids::number;

number! {
    /// A changeset's position in the global order of all streams: 0, 1, 2 ... without a hole.
    ///
    /// A reader's checkpoint is the position of the next changeset it wants.
    Checkpoint, "checkpoint", from 0
}

/// How many positions share one partition of an index that is partitioned by position: one `page` of
/// the `page`/`page_item` scheme.
pub const INDEX_PAGE: u64 = 1000;

impl Checkpoint {
    /// The position `count` further on; the last possible one where that would be beyond it.
    #[must_use]
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count).min(crate::ids::MAX_ID))
    }

    /// The position's page and its number in the page, as an index with a partition per page keeps
    /// them.
    ///
    /// ```
    /// use ees_core::Checkpoint;
    /// assert_eq!(Checkpoint::new(1001)?.to_page(), (1, 1));
    /// # Ok::<(), ees_core::OutOfRange>(())
    /// ```
    pub fn to_page(self) -> (u64, u64) {
        (self.0 / INDEX_PAGE, self.0 % INDEX_PAGE)
    }

    /// The position with this number in a page, if there is one: the inverse of
    /// [`Checkpoint::to_page`].
    pub fn from_page(page: u64, page_item: u64) -> Option<Self> {
        if page_item >= INDEX_PAGE {
            return None;
        }
        let number = page.checked_mul(INDEX_PAGE)?.checked_add(page_item)?;
        Self::new(number).ok()
    }
}

/// An event's position in the global order, written `c.i`: its changeset's checkpoint and its
/// 0-based place among the changeset's events. `c` alone means `c.0`.
///
/// ```
/// use ees_core::EventCheckpoint;
/// let position: EventCheckpoint = "7".parse()?;
/// assert_eq!(position.to_string(), "7.0");
/// # Ok::<(), ees_core::EventCheckpointError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventCheckpoint {
    /// The changeset's position.
    pub changeset: Checkpoint,
    /// The event's place in its changeset, from 0.
    pub index: u64,
}

/// The text is not of the form `c` or `c.i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event checkpoint is `c` or `c.i`, two integers from 0 to 2^63 - 1")]
pub struct EventCheckpointError;

impl From<Checkpoint> for EventCheckpoint {
    fn from(changeset: Checkpoint) -> Self {
        Self {
            changeset,
            index: 0,
        }
    }
}

impl fmt::Display for EventCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.changeset, self.index)
    }
}

impl FromStr for EventCheckpoint {
    type Err = EventCheckpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (changeset, index) = text.split_once('.').unwrap_or((text, "0"));
        Ok(Self {
            changeset: parse_number(changeset)
                .and_then(|number| Checkpoint::new(number).ok())
                .ok_or(EventCheckpointError)?,
            index: parse_number(index).ok_or(EventCheckpointError)?,
        })
    }
}

/// Reads an integer as the wire contract has it: decimal digits only, up to 2^63 - 1.
///
/// ```
/// assert_eq!(ees_core::parse_number("042"), Some(42));
/// assert_eq!(ees_core::parse_number("+1"), None);
/// ```
pub fn parse_number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse()
        .ok()
        .filter(|number| *number <= crate::ids::MAX_ID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MAX_ID;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn page_and_position_are_inverse(number in 0..=MAX_ID) {
            let checkpoint = Checkpoint::new(number).unwrap();
            let (page, item) = checkpoint.to_page();
            prop_assert_eq!(Checkpoint::from_page(page, item), Some(checkpoint));
        }

        #[test]
        fn an_event_checkpoint_reads_what_it_writes(c in 0..=MAX_ID, index in 0..=MAX_ID) {
            let position = EventCheckpoint { changeset: Checkpoint::new(c).unwrap(), index };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }
    }

    #[test]
    fn places_outside_a_page_are_no_position() {
        assert_eq!(Checkpoint::from_page(0, INDEX_PAGE), None);
        assert_eq!(Checkpoint::from_page(u64::MAX, 0), None);
        assert_eq!(Checkpoint::from_page(MAX_ID / INDEX_PAGE + 1, 0), None);
    }

    #[test]
    fn the_order_ends_at_the_largest_position() {
        let last = Checkpoint::new(MAX_ID).unwrap();
        assert_eq!(last.plus(1), last);
    }

    #[test]
    fn numbers_are_decimal_digits() {
        for bad in [
            "",
            " 1",
            "1 ",
            "-1",
            "1e3",
            "0x1",
            "９",
            "9223372036854775808",
        ] {
            assert_eq!(parse_number(bad), None, "{bad:?}");
        }
        assert_eq!(parse_number("9223372036854775807"), Some(MAX_ID));
        for bad in ["", ".", "1.", ".1", "1.2.3", "head"] {
            assert!(bad.parse::<EventCheckpoint>().is_err(), "{bad:?}");
        }
    }
}
